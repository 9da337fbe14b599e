#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every program that a GPU would get, for AMD's and NVIDIA's GPUs, without a GPU, and
judges registers, waves, stack, spills and instructions by tests/gpu_limits.txt.

  tests/gpu_compile.py            says what breaks a limit, ends with 1; what CI runs
  tests/gpu_compile.py --table    prints all kernels, too
  tests/gpu_compile.py --kernel PATTERN    only these, such as 'tile/tile_block_*'; with the table
  --build FOLDER                  where the programs were built; default build-dev

The programs come from the commands below, run on any OpenCL device that poses as a GPU
(tests/fault_layer); no kernel runs. Needs clang-19; libclc-19 comes from apt-get, ptxas and
nvdisasm from PyPI, into BUILD/gpu alone. What cannot be had is said; without clang or libclc it
ends with 77.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

CLANG = 'clang-19'
# Target: compiler's options, libclc's library. The vendors pose with their own limits.
AMD = ['-target', 'amdgcn-unknown-amdhsa', '-nogpulib']
TARGETS = {
    'gfx90a': ([*AMD, '-mcpu=gfx90a'], 'amdgcn--amdhsa'),
    'gfx1100': ([*AMD, '-mcpu=gfx1100'], 'amdgcn--amdhsa'),
    'sm_90': (['-target', 'nvptx64--nvidiacl', '-march=sm_90'], 'nvptx64--nvidiacl'),
}
VENDORS = {
    'AMD': dict(id=0x1002, group=256, local=65536, units=104,
                targets=('gfx90a', 'gfx1100')),
    'NVIDIA': dict(id=0x10DE, group=1024, local=49152, units=132,
                   targets=('sm_90',)),
}
# All kinds of layers in few pixels, with what no fused kernel takes.
ALL_OPS = """image = input height=32 width=32 channels=3 divide=255
a = conv image filters=6 window=3 stride=1 dilation=1 pad=same
ab = bias a
aa = relu ab
b = conv image filters=2 window=1 stride=1 dilation=1 pad=same
ba = elu b alpha=1
both = concat aa ba
n = batch_norm both epsilon=0.001
p = max_pool n window=2 stride=2 pad=same
c = conv p filters=4 window=3 stride=2 dilation=1 pad=same
ca = leaky_relu c slope=0.1
kept = dropout ca rate=0.5
g = global_avg_pool kept
flat = flatten kept
h = dense flat units=8
hb = bias h
ha = relu hb
last = dense ha units=1
lb = bias last
out = sigmoid lb
"""
COMMANDS = [
    ('Meso-4', 'mesocl predict -w meso4.safetensors many'),
    ('Meso-4, one picture', 'mesocl predict -w meso4.safetensors many/real/0.ppm'),
    ('MesoInception-4', 'mesocl predict -w mesoinception4.safetensors many'),
    ('MesoInception-4, one picture',
     'mesocl predict -w mesoinception4.safetensors many/real/0.ppm'),
    ('Meso-4, training', 'mesocl train many --net meso4 --augment mesonet -e 1 -b 64 -o run'),
    ('MesoInception-4, training', 'mesocl train many --net mesoinception4 -e 1 -b 64 -o run'),
    ('all ops', 'mesocl predict -w all.safetensors many'),
    ('all ops, training', 'mesocl train many --net all.net -e 1 -b 64 -o run'),
    ('statistics', 'dataset_bench stats many'),
]
Kernel = collections.namedtuple('Kernel', 'use program name target figures')


class Absent(Exception):
    pass


def run(words, **options):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, **options)


def draw(folder):
    for i in range(64):
        path = f'{folder}/many/{("real", "fake")[i % 2]}/{i}.ppm'
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as out:
            out.write(b'P6 8 8 255\n' + bytes(i * (7 + k) % 256 for k in range(192)))


def posing(vendor):
    """The fault layer's settings for a GPU of this vendor that computes nothing."""
    v = VENDORS[vendor]
    return dict(MESO_FAULT_GPU='1', MESO_FAULT_SKIP='1', MESO_FAULT_VENDOR=str(v['id']),
                MESO_FAULT_GROUP=str(v['group']), MESO_FAULT_LOCAL=str(v['local']),
                MESO_FAULT_UNITS=str(v['units']))


def dump(build, folder):
    """The programs' texts: {text: (use, vendors)}, in the order of the commands."""
    programs = collections.OrderedDict()
    base = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder, MESO_CACHE_DIR=folder + '/cache')
    draw(folder)
    with open(folder + '/all.net', 'w') as out:
        out.write(ALL_OPS)
    for net in ('meso4', 'mesoinception4', 'all'):
        made = run([build + '/bin/mesocl', 'init', net + ('.net' if net == 'all' else ''),
                    '-o', net + '.safetensors'], cwd=folder, env=base)
        if made.returncode:
            sys.exit(f'mesocl init {net}: {made.stdout}')
    for vendor in VENDORS:
        for use, words in COMMANDS:
            to = tempfile.mkdtemp(dir=folder)
            program, *rest = words.split()
            # What is computed is whatever was in memory; the end of a command says nothing.
            run([f'{build}/bin/{program}', *rest], cwd=folder, env=dict(
                base, OPENCL_LAYERS=build + '/tests/libfault_layer.so', MESO_CL_DUMP=to,
                **posing(vendor)))
            shutil.rmtree(folder + '/run', ignore_errors=True)
            for path in sorted(glob.glob(to + '/*.cl')):
                with open(path) as text:
                    programs.setdefault(text.read(), (use, []))[1].append(vendor)
    return programs


def libclc(folder):
    """Built-in functions for clang. Not installed, where it would replace another version."""
    at = folder + '/libclc/usr/lib/clc'
    if not os.path.exists(at):
        os.makedirs(folder, exist_ok=True)
        try:
            got = run(['apt-get', '-qq', 'download', 'libclc-19'], cwd=folder)
        except FileNotFoundError:
            raise Absent('libclc-19 (no apt-get)')
        debs = glob.glob(folder + '/libclc-19_*.deb')
        if not debs:
            raise Absent('libclc-19 (apt-get download: ' + got.stdout.strip()[-200:] + ')')
        run(['dpkg', '-x', debs[0], folder + '/libclc'])
    return at


def nvidia(folder):
    """The paths of ptxas and nvdisasm, which NVIDIA publishes on PyPI."""
    tools = lambda: [glob.glob(f'{folder}/nvidia/nvidia/*/bin/{t}') for t in ('ptxas', 'nvdisasm')]
    if not all(tools()):
        pip = run([sys.executable, '-m', 'pip', '--quiet', '--disable-pip-version-check', 'install',
                   '--root-user-action=ignore', '--no-deps', '--target', folder + '/nvidia',
                   'nvidia-cuda-nvcc==13.*', 'nvidia-cuda-nvdisasm==13.*'])
        if not all(tools()):
            raise Absent('ptxas and nvdisasm (pip: ' + pip.stdout.strip()[-200:] + ')')
    return [t[0] for t in tools()]


def compile_program(text, target, clc, path):
    """clang's output, an assembler file at path; a program that does not compile ends all."""
    options, library = TARGETS[target]
    build = text.split('\n', 1)[0].rsplit(': ', 1)[1].split()
    made = subprocess.run(
        [CLANG, '-x', 'cl', '-O3', *build, *options, '-Xclang', '-finclude-default-header',
         '-Xclang', '-mlink-builtin-bitcode', '-Xclang', f'{clc}/{library}.bc', '-Wno-everything',
         '-Rpass-analysis=kernel-resource-usage', '-S', '-', '-o', path],
        input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        sys.exit(f'{CLANG} for {target}:\n{made.stdout[:2000]}')
    return made.stdout


def amd_figures(remarks):
    """{kernel: figures} of clang's remarks."""
    names = {'VGPRs': 'registers', 'AGPRs': 'registers', 'ScratchSize': 'stack',
             'Occupancy': 'waves', 'VGPRs Spill': 'spill', 'LDS Size': 'local'}
    kernels, name = {}, None
    for line in remarks.splitlines():
        what = re.search(r'remark:\s+([\w ]+?)(?: \[.*?\])?: (\S+)', line)
        if what and what[1] == 'Function Name':
            name = what[2]
            kernels[name] = collections.Counter()
        elif what and what[1] in names:
            kernels[name][names[what[1]]] += int(what[2])
    return kernels


def nvidia_figures(tools, path):
    """{kernel: figures} by ptxas, and the instructions of each as nvdisasm lists them."""
    cubin = path + '.cubin'
    said = run([tools[0], '-v', '-arch=sm_90', path, '-o', cubin])
    if said.returncode:
        sys.exit('ptxas: ' + said.stdout[:2000])
    kernels, name = {}, None
    for line in said.stdout.splitlines():
        entry = re.search(r"entry function '(\w+)'", line)
        if entry:
            name = entry[1]
            kernels[name] = dict(local=0)
        for what, pattern in (('stack', r'(\d+) bytes stack'),
                              ('spill', r'(\d+) bytes spill stores'),
                              ('registers', r'Used (\d+) reg'),
                              ('local', r'(\d+) bytes smem')):
            found = re.search(pattern, line)
            if found and name:
                kernels[name][what] = int(found[1])
    for name, lines in sass(run([tools[1], '-c', cubin]).stdout).items():
        kernels[name]['sass'] = lines
    return kernels


def sass(listing):
    """{kernel: [instruction, or label with its colon]}."""
    kernels, now = {}, None
    for line in listing.splitlines():
        section = re.match(r'\.text\.(\w+):', line)
        label = re.match(r'(\.L_x_\d+:)', line.strip())
        instruction = re.search(r'/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;', line)
        if section:
            now = kernels.setdefault(section[1], [])
        elif now is not None and (label or instruction):
            now.append((label or instruction)[1])
    return kernels


def loops(lines):
    """[(first, last)] of the loops in order: a branch back to a label, but for the one to itself
    that ends each kernel."""
    at = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(':')}
    found = {}
    for i, line in enumerate(lines):
        to = re.search(r'\bBRA\b.*?`?\(?(\.L_x_\d+)', line)
        if to and at.get(to[1], i) < i - 1:
            found[at[to[1]]] = i
    return sorted(found.items())


def skips(lines):
    """[(first, last)] of what the branches to a later label pass over, in order."""
    at = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(':')}
    found = []
    for i, line in enumerate(lines):
        to = re.search(r'\bBRA\b.*?`?\(?(\.L_x_\d+)', line)
        if to and at.get(to[1], 0) > i:
            found.append((i, at[to[1]]))
    return found


def times(lines, stretches):
    """[(instruction, how often it runs)], where all of a stretch (first, last) runs n times as
    often: [((first, last), n)]."""
    counted = []
    for i, line in enumerate(lines):
        if line.endswith(':') or line == 'NOP' or i > 0 and lines[i - 1].endswith(':') and \
                line.startswith('BRA') and lines[i - 1][:-1] in line:
            continue
        n = 1
        for (first, last), factor in stretches:
            n *= factor if first < i <= last else 1
        counted.append((line, n))
    return counted


def count(lines, turns):
    """Instructions of a work-item whose loops make these turns, or one where none are given."""
    return sum(n for _, n in times(lines, list(zip(loops(lines), turns))))


def read_limits():
    """[(pattern, target, {figure: (sign, bound)}, turns)]"""
    rows = []
    with open(os.path.join(os.path.dirname(__file__), 'gpu_limits.txt')) as text:
        for line in text:
            words = line.split('#')[0].split()
            if not words:
                continue
            bounds, turns = {}, []
            for word in words[2:]:
                what, sign, value = re.fullmatch(r'(\w+)(<=|>=|=)(\S+)', word).groups()
                if what == 'turns':
                    turns = [int(v) for v in value.split(',')]
                else:
                    bounds[what] = (sign, int(value))
            rows.append((words[0], words[1], bounds, turns))
    return rows


def kind(text):
    """What the program is called: the first file behind the prelude."""
    return [n for n in re.findall(r'^#line 1 "(\w+)\.cl"', text, re.M) if n != 'prelude'][0]


def measure(programs, clc, tools, folder, wanted):
    jobs = []
    for i, (text, (use, vendors)) in enumerate(programs.items()):
        for vendor in vendors:
            for target in VENDORS[vendor]['targets']:
                if (i, target) not in [j[:2] for j in jobs]:
                    jobs.append((i, target, text, use))

    def one(job):
        i, target, text, use = job
        path = f'{folder}/{i}.{target}.s'
        remarks = compile_program(text, target, clc, path)
        if target.startswith('sm_'):
            figures = nvidia_figures(tools, path) if tools else {}
        else:
            figures = amd_figures(remarks)
        return [Kernel(use, kind(text), name, target, f) for name, f in sorted(figures.items())]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        kernels = [k for made in pool.map(one, jobs) for k in made]
    return [k for k in kernels if fnmatch.fnmatch(f'{k.program}/{k.name}', wanted)]


def judge(kernels, limits, whole):
    """Sentences about what breaks a limit."""
    bad, used = [], set()
    for k in kernels:
        pattern, _, bounds, turns = next(
            row for row in limits if fnmatch.fnmatch(f'{k.program}/{k.name}', row[0]) and
            fnmatch.fnmatch(k.target, row[1]))
        used.add((pattern, k.target))
        if 'sass' in k.figures:
            lines = k.figures.pop('sass')
            k.figures['loops'] = len(loops(lines))
            k.figures['instructions'] = count(lines, turns)
            if turns and len(turns) != k.figures['loops']:
                bad.append(f'{k.use}: {k.name} for {k.target} has {k.figures["loops"]} loops, its '
                           f'row of tests/gpu_limits.txt says the turns of {len(turns)}')
        for what, (sign, bound) in bounds.items():
            value = k.figures.get(what, 0)
            if not {'<=': value <= bound, '>=': value >= bound, '=': value == bound}[sign]:
                bad.append(f'{k.use}: {k.name} for {k.target}: {what} {value}, the limit is '
                           f'{sign} {bound} (tests/gpu_limits.txt, {pattern})')
    measured = {k.target for k in kernels}
    for pattern, targets, _, _ in limits if whole else ():
        for target in fnmatch.filter(measured, targets):
            if (pattern, target) not in used:
                bad.append(f'no kernel needs the row {pattern} {target} of tests/gpu_limits.txt')
    return bad


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--table', action='store_true')
    parser.add_argument('--kernel')
    parser.add_argument('--build', default='build-dev')
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    tools = None
    try:
        if not shutil.which(CLANG):
            raise Absent(f'{CLANG} (tools/setup.sh --tests)')
        clc = libclc(build + '/gpu')
    except Absent as absent:
        print('not had:', absent)
        return 77
    try:
        tools = nvidia(build + '/gpu')
    except Absent as absent:
        print('for NVIDIA only compiled by clang; not had:', absent)
    with tempfile.TemporaryDirectory() as folder:
        programs = dump(build, folder)
        kernels = measure(programs, clc, tools, folder, options.kernel or '*')
    bad = judge(kernels, read_limits(), not options.kernel)
    if options.table or options.kernel:
        columns = ('registers', 'stack', 'spill', 'local', 'waves', 'instructions', 'loops')
        print(f'{"use":30} {"kernel":36} {"target":8}', ' '.join(f'{c:>9.9}' for c in columns))
        for k in kernels:
            print(f'{k.use:30} {k.program + "/" + k.name:36} {k.target:8}',
                  ' '.join(f'{k.figures.get(c, "-"):>9}' for c in columns))
    for sentence in bad:
        print(sentence)
    print(f'{len(programs)} programs, {len(kernels)} kernels compiled, {len(bad)} limits broken')
    return 1 if bad or not kernels else 0


if __name__ == '__main__':
    sys.exit(main())
