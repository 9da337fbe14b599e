# SPDX-License-Identifier: Apache-2.0
"""What a bare machine lacks to make a record, in one folder: programs with their libraries,
weights, pictures with their answers in double precision, the scripts, kernels for NVIDIA's GPUs."""
import glob
import os
import re
import shutil
import subprocess
import sys

import page
import replay_make
from record import ROOT, first

MOST_BYTES = 64 << 20
# Of the C library: the machine's own belong to its loader.
OF_LIBC = re.compile(r'(libc|libm|libdl|libpthread|librt|ld-linux[^/]*|linux-vdso)\.so')
SCRIPTS = ('record.sh', 'summarize.py', *(f'record/{n}.py' for n in (
    'record', 'stages', 'page', 'replay')), *(f'peers/{n}.py' for n in (
        'cuda_torch', 'rival_torch', 'train_torch', 'meso_model')))


def call(words):
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f'{" ".join(words[:3])} ended with {done.returncode}')
    return done.stdout


def programs(source, folder):
    """Stripped programs, and the libraries that they are linked to."""
    libraries = set()
    os.makedirs(folder + '/lib')
    os.makedirs(folder + '/bin')
    for name in ('mesocl', 'device_bench'):
        path = f'{source}/{name}'
        shutil.copy(path, folder + '/bin')
        call(['strip', f'{folder}/bin/{name}'])
        libraries |= set(re.findall(r'=> (/\S+)', call(['ldd', path])))
    for path in libraries:
        if not OF_LIBC.match(os.path.basename(path)):
            shutil.copy(os.path.realpath(path), f'{folder}/lib/{os.path.basename(path)}')


def weights(source, data, folder):
    os.makedirs(folder + '/weights')
    for path in glob.glob(data + '/weights/*.h5'):
        name = os.path.basename(path)[:-3]
        call([source + '/mesocl', 'convert', path, '-o', f'{folder}/weights/{name}.safetensors'])
    for path in glob.glob(data + '/weights/*.safetensors'):
        shutil.copy(path, folder + '/weights')
    if not os.listdir(folder + '/weights'):
        for net in ('meso4', 'meso4_elu', 'meso4_leaky', 'mesoinception4'):
            call([source + '/mesocl', 'init', net, '--seed', '7', '-o',
                  f'{folder}/weights/{net}.safetensors'])
    return sorted(glob.glob(folder + '/weights/*'))


def pictures(data, reference, folder, n):
    os.makedirs(folder + '/pictures')
    found = glob.glob(data + '/datasets/mesonet/Validation/*/*.jpg')
    for path in page.spread(found, n):
        shutil.copyfile(path, f'{folder}/pictures/{page.flat_name(path)}')
    if not found:
        call([reference, 'draw', folder + '/pictures', str(min(n, 32))])
    return sorted(glob.glob(folder + '/pictures/*'))


def make(options):
    folder = os.path.abspath(options.pack)
    tree = os.path.dirname(ROOT)
    source = options.bin or os.path.dirname(first(tree + '/build/bin/mesocl',
                                                  tree + '/build-dev/bin/mesocl') or '')
    reference = first(source + '/zoo_reference', tree + '/build-dev/bin/zoo_reference')
    if not source or not reference:
        sys.exit('a pack needs the release build and build-dev (answers): see README.md')
    if os.path.exists(folder):
        sys.exit(f'{folder} is there already')
    data = os.environ.get('MESO_TEST_DATA', os.path.join(os.path.dirname(tree), 'shared/data'))
    os.makedirs(folder + '/answers')
    for name in SCRIPTS:
        os.makedirs(os.path.dirname(f'{folder}/{name}'), exist_ok=True)
        shutil.copy(f'{ROOT}/{name}', f'{folder}/{name}')
    programs(source, folder)
    files = weights(source, data, folder)
    shown = pictures(data, reference, folder, options.pictures)
    for path in files:
        name = os.path.basename(path).rsplit('.', 1)[0]
        with open(f'{folder}/answers/{name}.csv', 'w') as file:
            for line in call([reference, 'score', path, *shown]).splitlines():
                file.write(os.path.basename(line) + '\n')
    said = replay_make.make(os.path.dirname(os.path.dirname(reference)), folder, files, shown)
    size = sum(os.path.getsize(os.path.join(at, name))
               for at, _, names in os.walk(folder) for name in names)
    print(f'{folder}: {len(files)} weight files, {len(shown)} pictures, {size / 2**20:.1f} MiB; '
          f'kernels for NVIDIA: {said}')
    print(f'there: {os.path.basename(folder)}/record.sh')
    return 0 if size <= MOST_BYTES else f'more than {MOST_BYTES >> 20} MiB'
