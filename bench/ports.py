#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the vector instructions that fused kernels take for one picture.

  python3 bench/ports.py build-dev/bin/mesocl PICTURE

PoCL's driver `basic` leaves a shared library for each kernel. Each is loaded here, and one of its
work-items, not at the picture's edge, is run instruction by instruction (ptrace): what an
instruction of its kind is, objdump says. Prints what stands as "vector_instructions" in
tune/avx512.json, from which device_bench takes the bound that a processor's ports set: bench/
device_bench/ports.c. Needs PoCL 3.1 on x86-64 with AVX-512, objdump, and the shipped row in use.
"""
import collections
import ctypes
import glob
import json
import mmap
import os
import re
import signal
import subprocess
import sys
import tempfile

# Kinds of arguments and work-items for a picture (src/net/strip/strip_run.c), sizes of avx512.json.
NETS = {'meso4': {'first_block': ('bbbbi', 8), 'block_1': ('bbbb', 32), 'block_2': ('bbbb', 16),
                  'block_3': ('bbbb', 4)},
        'mesoinception4': {'strip_pack_u8': ('bbi', 256), 'block_0': ('bbbb', 4),
                           'block_1': ('bbbb', 2), 'block_2': ('bbbb', 16),
                           'block_3': ('bbbb', 4)}}
BUFFER_BYTES = 64 << 20
TRACEME, PEEKUSER, SINGLESTEP, RIP = 0, 3, 9, 128
MOVES = re.compile(r'v?(mov|lddqu|stmxcsr|ldmxcsr|zeroupper)|vbroadcast.*\[|vpbroadcast.*\[')
MULTIPLIES, ADDS = re.compile(r'vfn?m|vmulp'), re.compile(r'v(add|sub)p')

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Context(ctypes.Structure):
    """PoCL 3.1's struct pocl_context."""
    _fields_ = [('num_groups', ctypes.c_size_t * 3), ('global_offset', ctypes.c_size_t * 3),
                ('local_size', ctypes.c_size_t * 3), ('printf_buffer', ctypes.c_void_p),
                ('printf_position', ctypes.c_void_p), ('printf_capacity', ctypes.c_uint32),
                ('work_dim', ctypes.c_uint32)]


def libraries(program, net, picture, folder):
    env = dict(os.environ, POCL_LEAVE_KERNEL_COMPILER_TEMP_FILES='1', POCL_DEVICES='basic',
               POCL_CACHE_DIR=folder)
    subprocess.run([program, 'predict', '--weights', net, picture], env=env, check=True,
                   stdout=subprocess.DEVNULL)
    return {os.path.basename(path)[:-3]: path
            for path in glob.glob(folder + '/**/*.so', recursive=True)}


def steps(path, name, kinds, items):
    """How often each instruction of the library is run for work-item 1 of picture 0."""
    function = getattr(ctypes.CDLL(path), '_pocl_kernel_%s_workgroup' % name)
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p] + 3 * [ctypes.c_size_t]
    memory = [mmap.mmap(-1, BUFFER_BYTES) for kind in kinds if kind == 'b']
    pointers = iter([ctypes.addressof(ctypes.c_char.from_buffer(m)) for m in memory])
    values = [ctypes.c_uint64(next(pointers) if kind == 'b' else 0) for kind in kinds]
    args = (ctypes.c_void_p * len(values))(*[ctypes.addressof(v) for v in values])
    context = Context((items, 1, 1), (0, 0, 0), (1, 1, 1), None, None, 0, 2)
    call = (ctypes.addressof(args), ctypes.addressof(context), 1, 0, 0)
    function(*call)
    with open('/proc/self/maps') as maps:
        base = next(int(line.split('-')[0], 16) for line in maps if path in line)
    child = os.fork()
    if child == 0:
        libc.ptrace(TRACEME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        function(*call)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    counts, end = collections.Counter(), base + os.path.getsize(path)
    os.waitpid(child, 0)
    while True:
        libc.ptrace(SINGLESTEP, child, None, None)
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) == signal.SIGSTOP:
            break
        at = libc.ptrace(PEEKUSER, child, RIP, None) & (1 << 64) - 1
        if base <= at < end:
            counts[at - base] += 1
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return counts


def kinds_of(path, counts):
    """Vector instructions that compute: on registers of 256 bits and more, loads and stores not."""
    text = subprocess.run(['objdump', '-d', '--no-show-raw-insn', '-M', 'intel', path], check=True,
                          capture_output=True, text=True).stdout
    found = collections.Counter()
    for line in text.splitlines():
        match = re.match(r'\s+([0-9a-f]+):\s+(\S+)\s*(.*)', line)
        n = counts.get(int(match.group(1), 16), 0) if match else 0
        if n == 0 or not re.search('[yz]mm', match.group(3)):
            continue
        name = match.group(2) + ' ' + match.group(3)
        if MOVES.match(name):
            continue
        found['multiply' if MULTIPLIES.match(name) else 'add' if ADDS.match(name) else 'other'] += n
    return found


def count(program, net, picture):
    image = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        paths = libraries(program, net, picture, folder)
        for name, (kinds, items) in NETS[net].items():
            found = kinds_of(paths[name], steps(paths[name], name, kinds, items))
            print(net, name, items, dict(found), file=sys.stderr)
            for kind, n in found.items():
                image[kind] += n * items
    return dict(sorted(image.items()))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    found = {net: count(sys.argv[1], net, sys.argv[2]) for net in NETS}
    print(json.dumps({'vector_instructions': found}))


main()
