# SPDX-License-Identifier: Apache-2.0
"""What MesoCL asks of a GPU of NVIDIA, for replay.py: the launches of one batch as
tests/launch_layer.c writes them down on any device, the contents of their buffers, and the programs
as cubins."""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tests'))
import gpu_compile as compiler  # noqa: E402

BATCHES = (1, 64)
# A cubin runs on later GPUs of its generation; PTX on all from the first of these on.
CUBINS = ('sm_80', 'sm_90', 'sm_100', 'sm_120')


def keep(blobs, data):
    """Contents by their hash, once each."""
    name = hashlib.sha256(data).hexdigest()[:16]
    path = f'{blobs}/{name}.z'
    if not os.path.exists(path):
        with open(path, 'wb') as file:
            file.write(zlib.compress(data, 9))
    return name


def events_of(at, blobs):
    """The log without what no kernel uses, files by the names of their contents; the programs."""
    with open(at + '/log') as file:
        lines = [line.split() for line in file]
    used = {a[1:] for line in lines if line[0] == 'launch' for a in line[9:] if a[0] == 'b'}
    programs, events, launched = {}, [], False
    for line in lines:
        if line[0] == 'launch':
            programs.setdefault(line[1], None)
            launched = True
        elif line[1] not in used or line[0] == 'read' and not launched:
            continue
        elif line[0] in ('write', 'read'):
            with open(f'{at}/{line[4]}.bin', 'rb') as file:
                line[4] = keep(blobs, file.read())
        events.append(' '.join(line))
    return events, programs


def compile_program(clc, ptxas, source, to):
    """{architecture: file} of a program. CUDA has no pointers to constant memory: it is global."""
    options, library = compiler.TARGETS['sm_90']
    options = [o for o in options if not o.startswith('-march')]
    made = subprocess.run(
        [compiler.CLANG, '-x', 'cl', '-O3', '-cl-std=CL1.2', *options, '-march=' + CUBINS[0],
         '-D__constant=__global', '-Xclang', '-finclude-default-header', '-Xclang',
         '-mlink-builtin-bitcode', '-Xclang', f'{clc}/{library}.bc', '-Wno-everything', '-S', '-o',
         to + '.ptx', source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        sys.exit(f'{source}: {made.stdout[:1000]}')
    files = {'ptx': os.path.basename(to) + '.ptx'}
    for architecture in CUBINS:
        done = subprocess.run([ptxas, '-arch=' + architecture, to + '.ptx', '-o',
                               f'{to}.{architecture}'])
        if done.returncode == 0:
            files[architecture] = f'{os.path.basename(to)}.{architecture}'
    return files


def make(build, folder, weights, pictures):
    """Files in FOLDER/cuda, by the layers of a build; says what was made, or why nothing was."""
    if not shutil.which(compiler.CLANG):
        return f'none, {compiler.CLANG} is missing'
    try:
        clc, ptxas = compiler.libclc(build + '/gpu'), compiler.nvidia(build + '/gpu')[0]
    except compiler.Absent as absent:
        return f'none, not had: {absent}'
    to = folder + '/cuda'
    os.makedirs(to + '/blobs')
    chosen = [next((w for w in weights if ('nception' in w) == inception), None)
              for inception in (False, True)]
    n = 0
    for path in filter(None, chosen):
        for batch in BATCHES:
            name = f'{os.path.basename(path).rsplit(".", 1)[0]}, batch {batch}'
            with tempfile.TemporaryDirectory() as at:
                listed = (pictures * batch)[:batch]
                record(build, path, batch, listed, at)
                events, programs = events_of(at, to + '/blobs')
                for program in programs:
                    n += 1
                    programs[program] = compile_program(clc, ptxas, f'{at}/{program}.cl',
                                                        f'{to}/program{n}')
                    shutil.copy(f'{at}/{program}.cl', f'{to}/program{n}.cl')
            with open(f'{to}/{re.sub("[^A-Za-z0-9]+", "_", name)}.json', 'w') as file:
                json.dump({'name': name, 'images': batch, 'programs': programs, 'events': events},
                          file, indent=0)
    return f'{len(glob.glob(to + "/*.json"))} batches'


def record(build, weights, batch, pictures, at):
    nvidia = compiler.VENDORS['NVIDIA']
    done = subprocess.run(
        [build + '/bin/mesocl', 'predict', '-w', weights, '-b', str(batch), *pictures],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=dict(
            os.environ, MESO_LAUNCHES=at, MESO_FAULT_GPU='1', OPENCL_LAYERS=':'.join(
                f'{build}/tests/lib{l}_layer.so' for l in ('launch', 'fault')),
            MESO_FAULT_VENDOR=str(nvidia['id']), MESO_FAULT_GROUP=str(nvidia['group']),
            MESO_FAULT_LOCAL=str(nvidia['local']), MESO_FAULT_UNITS=str(nvidia['units'])))
    if done.returncode:
        sys.exit(f'mesocl predict: {done.stderr}')
