#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does this tree compute the same bits as an older one? Predictions of 32 images by 4 weight files
on every path, weights after 20 steps of training two nets on both paths, statistics of datasets, a
study of drawn data. The published weights and 32 photographs come from the reference data, where it
is there; else weights are seeded and pictures drawn.

    tests/same_bits.py OLD       a commit, which is built under build-dev/, or a built tree's folder

Says what differs. Allowed are (a) texts, (b) schema ids, (c) intervals of shortcuts in a study that
are those of the old check, which drew more resamples, (d) facts and findings that documents did not
have, those of NEW_FACTS alone. Any other difference ends it with 1, with the largest one of each
file.
"""
import glob
import itertools
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.environ.get('MESO_TEST_DATA') or os.path.join(ROOT, '../shared/data')
# What a run measures or says of itself.
OWN = {'provenance', 'seconds', 'images_per_second', 'version', 'commit', 'command', 'model_hash'}
RESAMPLED = re.compile(r'\.datasets\[\d+\]\.(shortcuts\[\d+\]\.|properties_auc|framing_auc)')
NEW_FACTS = (
    (r'\.warnings', "a study's warnings are those of check"),
    (r'\.findings', "a study's findings name what check warns of"),
    (r'\.datasets\[\d+\]\.passed_over', 'files that a folder holds beside its pictures are told'),
    (r'\.comparisons\[\d+\]\.accuracy_holm', "the interval that belongs to Holm's p"),
)
IS_HASH = re.compile(r'^[0-9a-f]{16,}$')


def run(words, folder, **more):
    """A command's standard output; ends the program where it fails."""
    result = subprocess.run(words, cwd=folder, capture_output=True, **more)
    if result.returncode != 0:
        sys.exit(f'{" ".join(words)}\nended with {result.returncode}: '
                 f'{result.stderr.decode(errors="replace")}')
    return result.stdout


def built_tree(name):
    """The folder itself, or the commit, built as tools/test.sh does."""
    if os.path.isdir(name):
        return os.path.abspath(name)
    folder = os.path.join(ROOT, 'build-dev/same_bits', name)
    if not os.path.isdir(folder):
        run(['git', 'clone', '--quiet', '--shared', ROOT, folder], ROOT)
        run(['git', 'checkout', '--quiet', name], folder)
    run(['cmake', '--preset', 'dev', '--log-level=WARNING'], folder)
    run(['cmake', '--build', '--preset', 'dev'], folder)
    return folder


def put_pictures(same_bits, folder):
    """set/fake, set/real: 16 each."""
    for label in ('fake', 'real'):
        os.makedirs(f'{folder}/set/{label}')
    photos = [sorted(glob.glob(f'{DATA}/datasets/openforensics/Test/{label}/*.jpg'))[:16]
              for label in ('Fake', 'Real')]
    if not all(len(files) == 16 for files in photos):
        run([same_bits, 'draw', 'set', '0', '16'], folder)
        return
    for label, files in zip(('fake', 'real'), photos):
        for file in files:
            os.symlink(os.path.abspath(file), f'{folder}/set/{label}/{os.path.basename(file)}')


def put_weights(mesocl, folder):
    """Four weight files, as this build converts or initialises them; their names."""
    os.mkdir(f'{folder}/weights')
    published = sorted(glob.glob(f'{DATA}/weights/*.h5'))
    for file in published:
        name = f'weights/{os.path.basename(file)[:-3]}.safetensors'
        run([mesocl, 'convert', os.path.abspath(file), '-o', name], folder)
    if not published:
        for net in ('meso4', 'meso4_elu', 'meso4_leaky', 'mesoinception4'):
            run([mesocl, 'init', net, '--seed', '7', '-o', f'weights/{net}.safetensors'], folder)
    return sorted(f'weights/{name}' for name in os.listdir(f'{folder}/weights'))


def compute_datasets(bench, folder, environment):
    """Drawn datasets, their statistics, and a study of them."""
    run([bench, 'demo-data', 'demo', '--count', '40', '--side', '128'], folder)
    trains = 'clear', 'faint', 'shortcut'
    for what in ('stats', 'check'):
        words = [bench, what, '--json', *(f'demo/{name}' for name in trains), 'demo/control']
        with open(f'{folder}/{what}.json', 'wb') as out:
            out.write(run(words, folder, env=environment))
    words = [bench, 'run', '--test', 'control=demo/control', '-o', 'study']
    for name in trains:
        words += ['--train', f'{name}=demo/{name}']
    words += ['--seeds', '2', '--epochs', '2', '--batch', '16']
    run(words, folder, env=environment)


def compute(tree, folder, pictures):
    """All that is compared, as files in `folder`."""
    build = f'{tree}/build-dev'
    environment = dict(os.environ, POCL_CACHE_DIR=f'{build}/pocl-cache',
                       MESO_CACHE_DIR=f'{folder}/cache')
    os.makedirs(f'{folder}/bits')
    same_bits = f'{folder}/same_bits'
    run([os.environ.get('CC', 'cc'), '-std=c11', '-O1', f'-I{tree}/include', '-o', same_bits,
         f'{ROOT}/tests/same_bits.c', f'-L{build}', '-lmesocl', f'-Wl,-rpath,{build}'], folder)
    if not os.path.isdir(f'{pictures}/set'):
        put_pictures(same_bits, pictures)
    os.symlink(f'{pictures}/set', f'{folder}/set')
    weights = put_weights(f'{build}/bin/mesocl', folder)
    run([same_bits, 'predict', 'bits', 'set', *weights], folder, env=environment)
    run([same_bits, 'train', 'bits', 'set', '5'], folder, env=environment)
    os.mkdir(f'{folder}/tiles')  # a GPU's kernels, on a device that poses as one
    gpu = dict(environment, OPENCL_LAYERS=f'{build}/tests/libfault_layer.so', MESO_FAULT_GPU='1')
    run([same_bits, 'predict', 'tiles', 'set', *weights], folder, env=gpu)
    compute_datasets(f'{build}/bin/dataset_bench', folder, environment)


def bits_of(path):
    """The values of a file: tensors alone, of a weight file."""
    with open(path, 'rb') as file:
        data = file.read()
    if path.endswith('.safetensors'):
        data = data[8 + struct.unpack('<Q', data[:8])[0]:]
    return data


def largest_difference(path, a, b):
    kind, size = ('d', 8) if '/predict.' in path else ('f', 4)
    if len(a) != len(b) or len(a) % size or not re.search(r'bits/|tiles/|safetensors$', path):
        return f'{len(a)} and {len(b)} bytes'
    values = [struct.unpack(f'<{len(x) // size}{kind}', x) for x in (a, b)]
    return f'largest |Δ| {max(abs(x - y) for x, y in zip(*values)):.3g}'


def compare_files(old, new):
    """Files of bits that differ, or that one side lacks."""
    def names(folder):
        found = []
        for pattern in ('bits/[pt]*', 'tiles/*', 'weights/*', 'demo/**/*.jpg', 'demo/*.csv',
                        'study/models/*', 'study/study_result.csv', 'study/lists/*'):
            for file in glob.glob(f'{folder}/{pattern}', recursive=True):
                found.append(os.path.relpath(file, folder))
        return set(found)
    both = names(old) & names(new)
    wrong = [f'{name}: only in one build' for name in sorted(names(old) ^ names(new))]
    for name in sorted(both):
        a, b = bits_of(f'{old}/{name}'), bits_of(f'{new}/{name}')
        if a != b:
            wrong.append(f'{name}: {largest_difference(name, a, b)}')
    print(f'{len(both)} files of bits: {len(both) - len(wrong)} the same')
    return wrong


def kind_of(path, a, b):
    """Why a difference of two JSON values is allowed, or None."""
    if path.endswith('.schema'):
        return 'b: schema id'
    for pattern, why in NEW_FACTS:
        if a is None and re.fullmatch(pattern, path):
            return f'd: {why}'
    if isinstance(a, str) and isinstance(b, str) and not (IS_HASH.match(a) or IS_HASH.match(b)):
        return 'a: text'
    if RESAMPLED.search(path) and path.rsplit('.', 1)[1] in ('low', 'high', 'warn'):
        return 'c: interval'
    return None


def compare_json(path, a, b, found):
    """Adds (kind, path, old, new) for each value that differs."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in {**a, **b}:
            if key not in OWN:
                compare_json(f'{path}.{key}', a.get(key), b.get(key), found)
    elif path == '.findings':  # in another order, too
        gone, come = [x for x in a if x not in b], [y for y in b if y not in a]
        for x, y in itertools.zip_longest(gone, come):
            found.append((kind_of(path, x, y), path, x, y))
    elif isinstance(a, list) and isinstance(b, list):
        for i, (x, y) in enumerate(itertools.zip_longest(a, b)):
            compare_json(f'{path}[{i}]', x, y, found)
    elif a != b or isinstance(a, bool) != isinstance(b, bool):
        found.append((kind_of(path, a, b), path, a, b))


def read_json(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def compare_intervals(checked, studied):
    """Intervals of shortcuts that a study has otherwise than a check."""
    def ends(interval):
        return interval['low'], interval['high']
    expected, wrong = {}, []
    for dataset in checked['datasets']:
        name = os.path.basename(dataset['name'])
        for shortcut in dataset['shortcuts']:
            expected[name, shortcut['property']] = ends(shortcut)
        for kind, classifier in dataset['linear_classifiers'].items():
            expected[name, kind] = ends(classifier)
    for dataset in studied['datasets']:
        got = {s['property']: ends(s['auc']) for s in dataset['shortcuts']}
        got.update({kind: ends(dataset[f'{kind}_auc']) for kind in ('properties', 'framing')})
        for kind, interval in got.items():
            if expected.pop((dataset['name'], kind), None) != interval:
                wrong.append(f'study: {dataset["name"]} {kind}: {interval} is not that of check')
    return wrong + [f'study: no interval of {name} {kind}' for name, kind in expected]


def compare_document(old, new, name):
    found = []
    compare_json('', read_json(f'{old}/{name}'), read_json(f'{new}/{name}'), found)
    for kind, path, a, b in found:
        print(f'{name}{path}: {str(a)[:90]} → {str(b)[:90]} ({kind or "NOT ALLOWED"})')
    print(f'{name}: {len(found)} differences')
    return [f'{name}{path}: {a} → {b}' for kind, path, a, b in found if kind is None]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    trees = {'old': built_tree(sys.argv[1]), 'new': ROOT}
    with tempfile.TemporaryDirectory() as folder:
        for name, tree in trees.items():
            compute(tree, f'{folder}/work', folder)  # in one place, for paths stand in results
            os.rename(f'{folder}/work', f'{folder}/{name}')
        sides = f'{folder}/old', f'{folder}/new'
        wrong = compare_files(*sides)
        for name in ('stats.json', 'check.json', 'study/study_result.json'):
            wrong += compare_document(*sides, name)
        wrong += compare_intervals(read_json(f'{sides[0]}/check.json'),
                                   read_json(f'{sides[1]}/study/study_result.json'))
    print('\n'.join(['not allowed:'] + wrong) if wrong else 'the same bits')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
