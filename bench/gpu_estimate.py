#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a training step takes on a large GPU (sm_90), by counting, where no GPU is at hand.

  python3 bench/gpu_estimate.py [--build build-dev] [NET …]

`mesocl train` runs a step on a device that poses as a GPU and computes nothing; its launches are
written down (tests/launch_layer.c), and the kernels compiled (tests/gpu_compile.py says what that
needs). A launch issues its work-items' instructions, whose loops make the turns that TURNS says;
branches but those of TURNS are counted as taken, so the count is an upper bound. Work-groups come
in whole waves: a launch that does not fill the GPU takes as long as one that does. Each buffer is
read or written once from memory; every load and store of a work-item passes the second-level
cache, as if the first held nothing. All these times are added up; on a GPU they overlap. Not
counted: how long a work-item waits for what it has read.
"""
import argparse
import collections
import math
import os
import re
import struct
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
sys.path.append(ROOT + '/tests')
import gpu_compile as compiler  # noqa: E402

BATCH, WARP = 64, 32
UNITS, SCHEDULERS, HERTZ = 132, 4, 1.98e9  # an H200
MEMORY, CACHE, LAUNCH = 4.3e12, 5.5e12, 2.5e-6  # bytes a second; seconds
REGISTERS, LOCAL, ITEMS, GROUPS = 65536, 228 << 10, 2048, 32  # of a multiprocessor

Tensor = collections.namedtuple('Tensor', 'channels height width row pad plane image first')
Launch = collections.namedtuple('Launch', 'program kernel groups items tensors values bytes bands')


def up(a, b):
    return -(-a // b)


def rows(t):
    """Turns of EACH_ROW: 16 rows of a work-group, four at a time (train_items.cl)."""
    return up(min(t.height, 16), 4)


def band_rows(t, of=None):
    """Turns of EACH_ROW_OF, for pictures `of` another height too."""
    return up(up(t.height, up((of or t).height, 32)), 4)


def columns(t):
    return up(t.width, 32)


def four(t):
    """Turns of a loop over columns that the compiler unrolled by four; the rest is counted once."""
    return columns(t) // 4


def convolve(l):
    """Loops and branches of conv_rows: kernels of 5 and 3 rows apart, others by 4, 2 and 1."""
    h, listed = l.values[2], l.tensors[0].channels * l.values[3]
    chunks = up(listed, 512 // h)
    return ([chunks, up(up(listed, chunks) * h * 4, 128), listed / chunks, 4, h // 4, h % 2],
            {3: h != 3, 4: h == 5, 5: h != 5, 9: h % 4 > 1, 11: h == 3})


def along_window(w, skipped):
    """Loops by 1, 16 and 4 along a window's row, and 8 in between; branches by their numbers."""
    return [w % 4, w // 16, w % 8 // 4], {skipped[0]: w >= 4, skipped[1]: w % 16 > 7}


def pool_measure(l):
    t, out = l.tensors
    along, branches = along_window(l.values[1], (5, 8))
    return [band_rows(out, t), columns(out), l.values[0], *along], branches


def pool_backward(l):
    t, v = l.tensors[0], l.values
    along, branches = along_window(v[1], (7, 10))
    return [rows(t), columns(t), up(v[0], v[2]), up(v[1], v[3]), v[0], *along], branches


def data(l):
    units = l.tensors[0].channels
    return [1, units // 16, units % 8 // 4, units % 4], {4: units % 16 > 7}


def filters(l):
    t, out = l.tensors
    return [up(l.values[1] * t.channels, 4), band_rows(out), columns(out), 0, 2], {}


# Turns of the loops, in the order in which they stand, and which branches are taken: {number in
# order: how often what lies before the branch's label runs}.
TURNS = {
    'adam': lambda l: ([1, l.values[0] * l.bands / 8, 0], {}),
    'batch_norm_backward_combine': lambda l: ([up(l.values[1], 128) // 4], {}),
    'batch_norm_combine': lambda l: ([up(l.values[1], 128) // 4] * 2, {}),
    'batch_norm_measure': lambda l: ([2, up(l.tensors[0].height, 4), four(l.tensors[0])], {}),
    'bias_backward': lambda l: ([band_rows(l.tensors[0]), four(l.tensors[0])], {}),
    'bias_relu_backward': lambda l: ([band_rows(l.tensors[1]), four(l.tensors[1])], {}),
    'bias_train': lambda l: ([rows(l.tensors[1]), four(l.tensors[1])], {}),
    'concat_backward': lambda l: ([rows(l.tensors[1]), four(l.tensors[1])], {}),
    'concat_train': lambda l: ([rows(l.tensors[0]), four(l.tensors[0])], {}),
    'conv_backward_weights': filters,
    'conv_rows': convolve,
    'dense_backward_data': data,
    'dense_backward_weights': lambda l: ([4, up(l.tensors[1].channels, 32) // 4], {}),
    'dense_train': lambda l: ([up(l.tensors[0].channels, 2048), 4], {}),
    'dropout': lambda l: ([rows(l.tensors[1]), columns(l.tensors[1])], {}),
    'flatten_backward': lambda l: ([rows(l.tensors[1]), four(l.tensors[1])], {}),
    'flatten_forward': lambda l: ([], {}),
    'leaky_relu_backward': lambda l: ([rows(l.tensors[1]), four(l.tensors[1])], {}),
    'leaky_relu_forward': lambda l: ([], {}),
    'loss': lambda l: ([], {}),
    'norm_pool_apply': lambda l: ([rows(l.tensors[1]), columns(l.tensors[1]), l.values[0],
                                   l.values[1] % 4, l.values[1] // 4], {}),
    'norm_pool_backward_apply': pool_backward,
    'norm_pool_backward_measure': pool_measure,
    'unpack_train': lambda l: ([up(l.tensors[0].width, 128), 0, 0, 0], {}),
}
# How many branches to later labels there are, where they are numbered above.
BRANCHES = {'conv_rows': 59, 'dense_backward_data': 7, 'norm_pool_backward_apply': 12,
            'norm_pool_backward_measure': 24}


def record(build, net, folder):
    """A step's launches, and the programs: {number: text behind the line of its options}."""
    at, dumped = folder + '/launches', folder + '/programs'
    os.makedirs(at)
    os.makedirs(dumped)
    compiler.draw(folder)
    layers = ':'.join(f'{build}/tests/lib{l}_layer.so' for l in ('fault', 'launch'))
    said = compiler.run(
        [build + '/bin/mesocl', 'train', 'many', '--net', net, '-e', '1', '-b', str(BATCH), '-o',
         'run'], cwd=folder, env=dict(
             os.environ, HOME=folder, XDG_CONFIG_HOME=folder, MESO_CACHE_DIR=folder + '/cache',
             OPENCL_LAYERS=layers, MESO_LAUNCHES=at, MESO_CL_DUMP=dumped,
             **compiler.posing('NVIDIA')))
    step, sizes, written = [], {}, {}
    with open(at + '/log') as log:
        for kind, *words in map(str.split, log):
            if kind in ('buffer', 'part'):
                sizes[words[0]] = int(words[1])
            elif kind == 'write':
                written[words[0]] = words[3]
            elif kind == 'launch' and (step or words[1] == 'unpack_train'):
                step.append(launch(words, sizes, written, at))
                if words[1] == 'adam':
                    break
    if not step or step[-1].kernel != 'adam':
        sys.exit(f'{net}: no whole training step among the launches: {said.stdout}')
    texts = [open(f'{dumped}/{name}').read() for name in os.listdir(dumped)]
    behind = {text.split('\n', 1)[1]: text for text in texts}
    programs = {l.program: behind[open(f'{at}/{l.program}.cl').read()] for l in step}
    return step, programs


def launch(words, sizes, written, at):
    grid, group = [int(w) for w in words[2:5]], [int(w) for w in words[5:8]]
    buffers = [w[1:] for w in words[8:] if w[0] == 'b']
    given = [bytes.fromhex(w[1:]) for w in words[8:] if w[0] == 'x']
    bands = 0
    if words[1] == 'adam':  # its second buffer: five numbers a work-group, the fourth its bands
        with open(f'{at}/{written[buffers[1]]}.bin', 'rb') as file:
            numbers = [n for n, in struct.iter_unpack('i', file.read())]
        bands = sum(numbers[3::5]) / len(numbers[3::5])
    return Launch(words[0], words[1], math.prod(grid) // math.prod(group), math.prod(group),
                  [Tensor(*struct.unpack('8i', g)) for g in given if len(g) == 32],
                  [struct.unpack('i', g)[0] for g in given if len(g) == 4],
                  sum(sizes[b] for b in buffers), bands)


def count(l, kernel):
    """Instructions of a work-item, and the bytes that its loads and stores move."""
    lines = kernel['sass']
    loops, branches = compiler.loops(lines), compiler.skips(lines)
    turns, taken = TURNS[l.kernel](l)
    if len(turns) != len(loops) or taken and len(branches) != BRANCHES[l.kernel]:
        sys.exit(f'{l.kernel} has {len(loops)} loops and {len(branches)} branches; TURNS in '
                 f'{os.path.basename(__file__)} is for {len(turns)} and '
                 f'{BRANCHES.get(l.kernel, "any")}: look at its listing again')
    times = compiler.times(lines, [*zip(loops, turns),
                                   *((branches[i], n) for i, n in taken.items())])
    moved = 0
    for line, n in times:
        access = re.search(r'\b(?:LDG|STG)\.E(?:\.\w+)*', line)
        if access:
            size = re.search(r'\.(?:U|S)?(8|16|64|128)\b', access[0])
            moved += n * (int(size[1]) // 8 if size else 4)
    check_products(l, l.items * l.groups * sum(n for line, n in times if 'FFMA' in line))
    return sum(n for _, n in times), moved


def check_products(l, counted):
    """A convolution has no fewer multiply-adds than products: turns that are too few end it."""
    window = {'conv_rows': slice(2, 4), 'conv_backward_weights': slice(0, 2)}
    if l.kernel in window:
        t, out = l.tensors
        products = (BATCH * t.channels * out.channels * out.height * out.width *
                    math.prod(l.values[window[l.kernel]]))
        if not counted >= products:
            sys.exit(f'{l.kernel}: {counted:.0f} multiply-adds counted for {products} products; '
                     f'look at its listing and at TURNS in {os.path.basename(__file__)} again')


def resident(l, kernel):
    """Work-groups of a multiprocessor."""
    return min(REGISTERS // (up(kernel['registers'], 8) * 8 * l.items),
               LOCAL // (kernel['local'] + 1024), ITEMS // l.items, GROUPS)


def estimate(net, build, clc, tools, folder):
    step, programs = record(build, net, folder)
    kernels = {}
    for number, text in programs.items():
        path = f'{folder}/{number}.s'
        compiler.compile_program(text, 'sm_90', clc, path)
        for name, figures in compiler.nvidia_figures(tools, path).items():
            kernels[number, name] = figures
    table = collections.defaultdict(lambda: [0.0] * 6)
    for l in step:
        kernel = kernels[l.program, l.kernel]
        instructions, moved = count(l, kernel)
        a_group = instructions * up(l.items, WARP) / (SCHEDULERS * HERTZ)
        wave = UNITS * resident(l, kernel)
        for i, value in enumerate((1, l.groups * l.items * instructions, l.groups * a_group / UNITS,
                                   up(l.groups, wave) * wave * a_group / UNITS,
                                   l.groups * l.items * moved / CACHE, l.bytes / MEMORY)):
            table[l.kernel][i] += value
    show(net, table)


def show(net, table):
    print(f'\n{net}, a step of {BATCH} images; of an image:\n')
    print('| kernel | launches | M instructions | issue, µs | in whole waves | cache | memory |')
    print('| --- | --- | --- | --- | --- | --- | --- |')
    total = [sum(row[i] for row in table.values()) for i in range(6)]
    for name, row in [*sorted(table.items(), key=lambda r: -r[1][1]), ('all', total)]:
        print(f'| {name} | {row[0]:.0f} | {row[1] / BATCH / 1e6:.2f} |',
              ' | '.join(f'{v / BATCH * 1e6:.2f}' for v in row[2:]), '|')
    launches = total[0] * LAUNCH
    print(f'\n{BATCH / total[2]:,.0f} images/s by instructions alone; '
          f'{BATCH / (sum(total[3:]) + launches):,.0f} with whole waves, cache, memory and '
          f'launches ({launches / BATCH * 1e6:.2f} µs) one after the other')


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default='build-dev')
    parser.add_argument('net', nargs='*', default=['meso4', 'mesoinception4'])
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    try:
        clc, tools = compiler.libclc(build + '/gpu'), compiler.nvidia(build + '/gpu')
    except compiler.Absent as absent:
        sys.exit(f'not had: {absent}')
    for net in options.net:
        with tempfile.TemporaryDirectory() as folder:
            estimate(net, build, clc, tools, folder)


if __name__ == '__main__':
    main()
