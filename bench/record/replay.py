# SPDX-License-Identifier: Apache-2.0
"""MesoCL's kernels on a GPU of NVIDIA without OpenCL: the launches that replay_make.py packed, by
CUDA's driver alone. Compares what the kernels leave with what the device left that they were
written down on, and times them.

    python3 replay.py FILE.json…

A JSON object a line. Needs nothing but Python and libcuda.so.1.
"""
import ctypes as c
import json
import math
import os
import struct
import sys
import time
import zlib

MAJOR, MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_…
ROUNDS, SECONDS = 7, 0.3


class Cuda:
    def __init__(self):
        self.driver = c.CDLL(os.environ.get('MESO_LIBCUDA', 'libcuda.so.1'))
        device, context = c.c_int(), c.c_void_p()
        self.call('cuInit', c.c_uint(0))
        self.call('cuDeviceGet', c.byref(device), c.c_int(0))
        self.call('cuDevicePrimaryCtxRetain', c.byref(context), device)
        self.call('cuCtxSetCurrent', context)
        name, number = c.create_string_buffer(256), c.c_int()
        self.call('cuDeviceGetName', name, c.c_int(len(name)), device)
        self.name, self.version = name.value.decode(errors='replace'), []
        for what in (MAJOR, MINOR):
            self.call('cuDeviceGetAttribute', c.byref(number), c.c_int(what), device)
            self.version.append(number.value)

    def call(self, function, *arguments):
        code = getattr(self.driver, function)(*arguments)
        if code:
            raise SystemExit(f'{function}: CUDA error {code}')

    def kernels(self, folder, files):
        """A function that finds a kernel in the cubin for this GPU, or else in the PTX."""
        module, major = c.c_void_p(), self.version[0]
        fits = [a for a in files if a != 'ptx' and int(a[3:]) // 10 == major]
        with open(f'{folder}/{files[fits[0] if fits else "ptx"]}', 'rb') as file:
            self.call('cuModuleLoadData', c.byref(module), c.c_char_p(file.read() + b'\0'))

        def find(name):
            found = c.c_void_p()
            self.call('cuModuleGetFunction', c.byref(found), module, c.c_char_p(name.encode()))
            return found
        return find

    def buffer(self, size):
        made = c.c_uint64()
        self.call('cuMemAlloc_v2', c.byref(made), c.c_size_t(size))
        self.call('cuMemsetD8_v2', made, c.c_ubyte(0xff), c.c_size_t(size))  # NaN
        return made

    def write(self, buffer, offset, data):
        self.call('cuMemcpyHtoD_v2', c.c_uint64(buffer.value + offset), c.c_char_p(data),
                  c.c_size_t(len(data)))

    def read(self, buffer, offset, size):
        data = c.create_string_buffer(size)
        self.call('cuMemcpyDtoH_v2', data, c.c_uint64(buffer.value + offset), c.c_size_t(size))
        return data.raw

    def launch(self, kernel, groups, items, arguments):
        pointers = (c.c_void_p * len(arguments))(*(c.addressof(a) for a in arguments))
        self.call('cuLaunchKernel', kernel, *map(c.c_uint, groups), *map(c.c_uint, items),
                  c.c_uint(0), None, pointers, None)

    def stamp(self):
        event = c.c_void_p()
        self.call('cuEventCreate', c.byref(event), c.c_uint(0))
        self.call('cuEventRecord', event, None)
        return event

    def between(self, begin, end):
        ms = c.c_float()
        self.call('cuEventSynchronize', end)
        self.call('cuEventElapsedTime', c.byref(ms), begin, end)
        return ms.value / 1e3


class Replay:
    def __init__(self, cuda, path):
        self.cuda, self.folder = cuda, os.path.dirname(os.path.abspath(path))
        with open(path) as file:
            self.job = json.load(file)
        programs = {n: cuda.kernels(self.folder, f) for n, f in self.job['programs'].items()}
        self.buffers, self.launches, self.copies, self.apart = {}, [], [], 0.0
        for event in self.job['events']:
            what, *words = event.split()
            if what == 'buffer':
                self.buffers[words[0]] = cuda.buffer(int(words[1]))
            elif what == 'launch':
                self.launches.append(self.prepare(programs, words))
                cuda.launch(*self.launches[-1][1:])
            else:
                getattr(self, what)(self.buffers[words[0]], int(words[1]), int(words[2]), words[3])

    def prepare(self, programs, words):
        sides = [int(w) for w in words[2:8]]
        groups = [g // l for g, l in zip(sides, sides[3:])]
        arguments = [self.buffers[w[1:]] if w[0] == 'b' else
                     c.create_string_buffer(bytes.fromhex(w[1:]), len(w) // 2) for w in words[8:]]
        return words[1], programs[words[0]](words[1]), groups, sides[3:], arguments

    def blob(self, name):
        with open(f'{self.folder}/blobs/{name}.z', 'rb') as file:
            return zlib.decompress(file.read())

    def write(self, buffer, offset, _, name):
        data = self.blob(name)
        self.cuda.write(buffer, offset, data)
        self.copies.append((buffer, offset, data))

    def fill(self, buffer, offset, size, pattern):
        pattern = bytes.fromhex(pattern)
        self.cuda.write(buffer, offset, pattern * (size // len(pattern)))

    def read(self, buffer, offset, size, name):
        """Logits: how far their probabilities are from those written down; NaN where one is."""
        given = struct.unpack(f'<{size // 4}f', self.cuda.read(buffer, offset, size))
        wanted = struct.unpack(f'<{size // 4}f', self.blob(name))
        for a, b in zip(given, wanted):
            d = abs(probability(a) - probability(b))
            self.apart = max(self.apart, d) if self.apart + d == self.apart + d else math.nan

    def all(self):
        for _, *launch in self.launches:
            self.cuda.launch(*launch)

    def clock(self):
        """Seconds of the launches, and of each alone: the least of some rounds."""
        stamp, between = self.cuda.stamp, self.cuda.between
        begin = stamp()
        self.all()
        turns = max(1, int(SECONDS / ROUNDS / max(between(begin, stamp()), 1e-5)))
        whole = []
        for _ in range(ROUNDS):
            begin = stamp()
            for _ in range(turns):
                self.all()
            whole.append(between(begin, stamp()) / turns)
        each = [[] for _ in self.launches]
        for _ in range(ROUNDS):
            for times, (_, *launch) in zip(each, self.launches):
                begin = stamp()
                self.cuda.launch(*launch)
                times.append(between(begin, stamp()))
        return min(whole), [min(times) for times in each]

    def copied(self):
        """Seconds with the pictures copied in: the largest of what is written."""
        picture = max(self.copies, key=lambda copy: len(copy[2]))
        best = math.inf
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            self.cuda.write(*picture)
            self.all()
            self.cuda.call('cuCtxSynchronize')
            best = min(best, time.perf_counter() - begin)
        return best


def probability(logit):
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0 if logit == logit else logit


def main():
    cuda = Cuda()
    for path in sys.argv[1:]:
        replay = Replay(cuda, path)
        n = replay.job['images']
        whole, each = replay.clock()
        print(json.dumps({
            'batch of': replay.job['name'], 'GPU': cuda.name,
            'largest |Δp|': replay.apart if replay.apart == replay.apart else None,
            'right': replay.apart <= 1e-5, 'images/s, kernels': n / whole,
            'images/s, with copy in': n / replay.copied(),
            'us': {name: round(1e6 * t, 2) for (name, *_), t in zip(replay.launches, each)}}),
            flush=True)


main()
