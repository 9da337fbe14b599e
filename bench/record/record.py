# SPDX-License-Identifier: Apache-2.0
"""Records what a GPU does with MesoCL; bench/record.sh says how it is called."""
import argparse
import csv
import ctypes
import glob
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

few_pictures = 32
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)  # bench/, or what --pack made
sys.path[:0] = [HERE, ROOT]

import page  # noqa: E402
import summarize  # noqa: E402  (bench/summarize.py)
from stages import Stages  # noqa: E402

NETS = ('meso4', 'mesoinception4')
# Seconds of ten minutes, in the order of what a short run must have first.
PLAN = {'devices': 30, 'selftest': 60, 'answers': 100, 'meso4': 45, 'mesoinception4': 40,
        'meso4, plain path': 25, 'pictures of a folder': 20, 'PyTorch': 90, 'kernels by CUDA': 40,
        'tuner': 160, 'meso4, tuned': 45, 'meso4, training': 30, 'mesoinception4, training': 30}
FACTS = {
    'kernel': ['uname', '-sr'],
    'GPUs of NVIDIA': ['nvidia-smi', '--format=csv,noheader', '--query-gpu=name,driver_version,'
                       'memory.total,clocks.max.sm,clocks.max.mem,power.limit,'
                       'pcie.link.gen.current,pcie.link.width.current'],
    'GPUs of AMD': ['rocm-smi', '--showproductname', '--showdriverversion'],
    'C library': ['getconf', 'GNU_LIBC_VERSION'],
}
# Where containers keep what belongs to the driver.
NVIDIA_FOLDERS = ('/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/local/nvidia/lib64',
                  '/usr/local/nvidia/lib', '/usr/lib/aarch64-linux-gnu', '/usr/lib/wsl/lib')


def first(*paths):
    """The first that exists, or None."""
    return next((p for p in paths if os.path.exists(p)), None)


def loads(name):
    try:
        ctypes.CDLL(name)
        return True
    except OSError:
        return False


class Record:
    def __init__(self, options):
        self.options = options
        self.work = tempfile.mkdtemp(prefix='mesocl-record-')
        tree = os.path.dirname(ROOT)
        self.bin = options.bin or first(ROOT + '/bin/mesocl', tree + '/build/bin/mesocl',
                                        tree + '/build-dev/bin/mesocl')
        if self.bin and os.path.isfile(self.bin):
            self.bin = os.path.dirname(self.bin)
        self.data = first(ROOT + '/pictures') and ROOT or os.environ.get(
            'MESO_TEST_DATA', os.path.join(os.path.dirname(tree), 'shared/data'))
        self.device = options.device
        self.stages = Stages(options.budget, PLAN, self.work, self.environment())
        self.began = time.time()
        self.result = {'schema': 'mesocl.record/1', 'date': time.strftime('%Y-%m-%d'),
                       'facts': {}, 'device': None, 'answers': [], 'speeds': [], 'peer': [],
                       'kernels': [], 'tuning': None}

    # The machine.

    def environment(self):
        """Nothing of the user's is written, and libraries that the machine lacks are found."""
        made = dict(os.environ)
        for name, folder in (('XDG_CONFIG_HOME', 'config'), ('XDG_CACHE_HOME', 'cache'),
                             ('MESO_CACHE_DIR', 'cache'), ('POCL_CACHE_DIR', 'cache/pocl'),
                             ('CUDA_CACHE_PATH', 'cache/cuda')):
            if name == 'POCL_CACHE_DIR' and name in os.environ:
                continue
            made[name] = os.path.join(self.work, folder)
            os.makedirs(made[name], exist_ok=True)
        os.makedirs(self.work + '/lib')
        for path in glob.glob(ROOT + '/lib/*'):
            if not loads(os.path.basename(path)):
                os.symlink(path, self.work + '/lib/' + os.path.basename(path))
        folders = [self.work + '/lib', *filter(os.path.isdir, NVIDIA_FOLDERS[2:4]),
                   *filter(None, [os.environ.get('LD_LIBRARY_PATH')])]
        made['LD_LIBRARY_PATH'] = ':'.join(folders)
        self.find_nvidia(made)
        return made

    def find_nvidia(self, made):
        """A container may have NVIDIA's library and no file that tells the loader of it."""
        told = glob.glob('/etc/OpenCL/vendors/*.icd')
        library = first(*(f + '/libnvidia-opencl.so.1' for f in NVIDIA_FOLDERS))
        if 'OCL_ICD_VENDORS' in made or not library or any('nvidia' in t for t in told):
            return
        os.makedirs(self.work + '/vendors')
        for path in told:
            shutil.copy(path, self.work + '/vendors')
        with open(self.work + '/vendors/nvidia.icd', 'w') as file:
            file.write(library + '\n')
        made['OCL_ICD_VENDORS'] = self.work + '/vendors'

    def facts(self):
        facts = self.result['facts']
        for name, words in FACTS.items():
            try:
                said = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      text=True, timeout=10).stdout.strip()
            except (OSError, subprocess.TimeoutExpired):
                said = ''
            if said:
                facts[name] = said[:1000]
        with open('/proc/cpuinfo') as file:
            models = [l.split(':')[1].strip() for l in file if l.startswith('model name')]
        facts['processor'] = f'{os.cpu_count()} × {models[0] if models else "unknown"}'
        facts['Python'] = sys.version.split()[0]
        facts['drivers told to the loader'] = ', '.join(
            sorted(os.path.basename(p) for p in glob.glob('/etc/OpenCL/vendors/*'))) or 'none'

    def find_device(self):
        """The device's own entry of `mesocl devices`, or None with a reason."""
        done = self.json('devices', [self.program('mesocl'), 'devices', '--json'])
        if not done:
            return
        devices = done['devices']
        fits = [d for d in devices if self.device in (d['type'], f'{d["platform"]}:{d["index"]}') or
                self.device == 'gpu' and d['type'].endswith('gpu')]
        if fits:
            self.result['device'] = fits[0]
            self.device = f'{fits[0]["platform"]}:{fits[0]["index"]}'
        else:
            found = ', '.join(f'{d["name"]} ({d["type"]})' for d in devices) or 'none'
            self.stages.missing.append(f'no OpenCL device fits {self.device!r}; found: {found}')

    # Running.

    def program(self, name):
        return f'{self.bin}/{name}'

    def json(self, name, words):
        done = self.stages.run(name, words)
        try:
            return done and json.loads(done.out)
        except ValueError:
            self.stages.missing.append(f'{name}: its answer is no JSON: {done.out[:100]!r}')

    def weights(self):
        """{name: path} of four weight files: those packed, the published ones, or seeded ones."""
        files = sorted(glob.glob(self.data + '/weights/*.safetensors'))
        made = {os.path.basename(f).rsplit('.', 1)[0]: f for f in files}
        for source in sorted(glob.glob(self.data + '/weights/*.h5')):
            name = os.path.basename(source)[:-3]
            made[name] = f'{self.work}/{name}.safetensors'
            self.stages.call([self.program('mesocl'), 'convert', source, '-o', made[name]], 20)
        for net in () if made else ('meso4', 'meso4_elu', 'meso4_leaky', 'mesoinception4'):
            made[net] = f'{self.work}/{net}.safetensors'
            self.stages.call([self.program('mesocl'), 'init', net, '--seed', '7', '-o', made[net]],
                             20)
        return {n: p for n, p in made.items() if os.path.exists(p)}

    def pictures(self):
        """Two folders: of at most 500 pictures, and of a few of them. Packed ones, mesonet's, or
        drawn ones."""
        most = max(few_pictures, int(self.options.pictures * min(1, self.options.budget / 600)))
        packed = glob.glob(self.data + '/pictures/*')
        found = {os.path.basename(p): p for p in packed} or {
            page.flat_name(p): p for p in
            glob.glob(self.data + '/datasets/mesonet/Validation/*/*.jpg')}
        for i in range(0 if found else few_pictures):
            found[f'{i:02}.ppm'] = f'{self.work}/{i:02}.ppm'
            with open(found[f'{i:02}.ppm'], 'wb') as file:
                file.write(b'P6 256 256 255\n' + bytes(
                    ((i + 1) * (k // 3 % 256) // 8 + k // 768 * (k % 3) // 4 + k * k % (i + 2))
                    % 256 for k in range(196608)))
        taken = page.spread(found, most)
        for folder, names in (('pictures', taken), ('few', page.spread(taken, few_pictures))):
            os.makedirs(f'{self.work}/{folder}')
            for name in names:
                os.symlink(found[name], f'{self.work}/{folder}/{name}')
        return self.work + '/pictures', self.work + '/few'

    # Stages.

    def answers(self, weights, pictures, few):
        """Twice the same bits, and as double precision says where that was packed; else as the
        plain path says of a few."""
        left = 3 * len(weights)
        for name, path in weights.items():
            given, texts = ROOT + f'/answers/{name}.csv', []
            against = 'double precision' if os.path.exists(given) else 'the plain path'
            for more in ([pictures], [pictures], [few, '--path', 'plain']):
                if more[0] == few and os.path.exists(given):
                    with open(given) as file:
                        texts.append(file.read())
                else:
                    words = [self.program('mesocl'), 'predict', '-d', self.device, '-w', path]
                    done = self.stages.run('answers', [*words, '-b', '64', '--csv', '-', *more],
                                           times=max(2, left), what=name)
                    texts.append(done.out if done else '')
                left -= 1
            p, again, right = map(probabilities, texts)
            apart = [abs(p[k] - right[k]) for k in p if k in right]
            self.result['answers'].append({
                'weights': name, 'pictures': len(p),
                'same bits twice': p == again if p and again else None,
                'largest |Δp|': max(apart, key=page.not_a_number_first, default=None),
                'against': against, 'compared': len(apart)})

    def speed(self, name, net, *more, batches='1,8,64,256,1024'):
        if self.result['device']['type'] == 'cpu' or self.options.budget < 300:
            batches = batches.replace(',256,1024', '')
        n = batches.count(',') + 1
        seconds = min(1.0, self.stages.limit(name) / (12 * n))
        done = self.json(name, [self.program('device_bench'), 'net', net, '-d', self.device, '-b',
                                batches, '--seconds', f'{seconds:.3f}', '-p', '1', '--json', *more])
        for row in done['results'] if done else ():
            self.result['speeds'].append({'stage': name, **summarize.summarize(
                {k: row[k] for k in page.SPEED if k in row})})
        if done and done.get('devices'):
            self.result['peak'] = {k: done['devices'][0].get(k) for k in
                                   ('peak_gflops', 'copy_gbs', 'launch_us',
                                    'launch_alone_us')}

    def folder(self, weights, pictures):
        name, began = 'pictures of a folder', len(self.stages.done)
        path = next(iter(weights.values()), None)
        if path:
            self.stages.run(name, [self.program('mesocl'), 'predict', '-d', self.device, '-w', path,
                                   '-b', '256', '--timing', '--csv', '-', pictures])
        for done in self.stages.done[began:]:
            self.result['timing'] = [l for l in done.err.splitlines() if l][-12:]

    def peer(self, weights):
        path = next((p for n, p in weights.items() if 'nception' not in n), None)
        script = first(ROOT + '/peers/cuda_torch.py')
        python = os.environ.get('MESO_PEER_PYTHON', sys.executable)
        try:
            has = subprocess.run([python, '-c', 'import torch, numpy'], timeout=60,
                                 stderr=subprocess.DEVNULL).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            has = False
        if not has or not path:
            self.stages.skip('PyTorch', f'{python} has no torch with numpy (another: '
                             'MESO_PEER_PYTHON)' if path else 'no weights')
            return
        self.stages.run('PyTorch', [python, script, path])
        for line in self.stages.read('out').splitlines():
            if line.startswith('{'):
                self.result['peer'].append(json.loads(line))

    def cuda(self):
        """The same kernels without OpenCL."""
        replays = sorted(glob.glob(ROOT + '/cuda/*.json'))
        if not replays or not (loads('libcuda.so.1') or any(
                os.path.exists(f + '/libcuda.so.1') for f in NVIDIA_FOLDERS)):
            self.stages.skip('kernels by CUDA', 'no libcuda.so.1' if replays else
                             'no cubin is here (it comes with --pack)')
            return
        self.stages.run('kernels by CUDA', [sys.executable, HERE + '/replay.py', *replays])
        for line in self.stages.read('out').splitlines():
            if line.startswith('{'):
                self.result['kernels'].append(json.loads(line))

    def tune(self):
        limit, least = self.stages.limit('tuner'), 60
        if limit < least:
            self.stages.skip('tuner', f'{limit:.0f} s were left, it needs {least}')
            return
        self.stages.run('tuner', [self.program('mesocl'), 'tune', '-d', self.device, '-b', '256',
                                  '--time-limit', str(max(1, int(0.55 * limit)))])
        path = self.work + '/config/mesocl/tuning.json'
        if os.path.exists(path):
            with open(path) as file:
                self.result['tuning'] = json.load(file)

    def opencl(self):
        weights, (pictures, few) = self.weights(), self.pictures()
        mesocl = self.program('mesocl')
        self.stages.run('selftest', [mesocl, 'selftest', '-d', self.device])
        yield
        self.answers(weights, pictures, few)
        yield
        for net in NETS:
            self.speed(net, net)
            yield
        self.speed('meso4, plain path', 'meso4', '--path', 'plain', batches='64')
        yield
        self.folder(weights, pictures)
        yield
        self.peer(weights)
        yield
        self.cuda()
        yield
        self.tune()
        yield
        if self.result['tuning']:
            self.speed('meso4, tuned', 'meso4')
        else:
            self.stages.skip('meso4, tuned', 'there are no sizes of the tuner')
        yield
        for net in NETS:
            self.speed(f'{net}, training', net, '--training', batches='32,128')
            yield

    def without_opencl(self):
        for name in PLAN:
            if name not in ('devices', 'PyTorch', 'kernels by CUDA'):
                self.stages.plan[name] = 0
        self.stages.missing.append('no OpenCL: the programs were not run at all')
        self.cuda()
        yield
        self.peer(self.weights() if self.bin else {})

    def save(self):
        """Both files, after every stage: what there is stays, whatever comes."""
        self.result['seconds'] = round(time.time() - self.began, 1)
        self.result['missing'] = self.stages.missing
        self.result['stages'] = [
            {'stage': d.name, 'seconds': round(d.seconds, 1), 'limit': round(d.limit, 1),
             'end': d.code} for d in self.stages.done]
        for ending, text in (('.json', summarize.lines_of(self.result, 0) + '\n'),
                             ('.md', page.markdown(self.result))):
            path = self.options.output + ending
            with open(path + '.part', 'w', encoding='utf-8') as file:
                file.write(text.replace(self.work, 'WORK'))
            os.replace(path + '.part', path)

    def run(self):
        self.facts()
        if self.bin:
            self.find_device()
        else:
            self.stages.missing.append('no programs: build first (README.md), or --bin FOLDER')
        self.save()
        for _ in self.opencl() if self.result['device'] else self.without_opencl():
            self.save()
        self.save()


def probabilities(text):
    """{picture: P(real)} of what predict writes, or of FILE,P lines."""
    p = {}
    for row in csv.reader(io.StringIO(text)):
        try:
            p[os.path.basename(row[0])] = float(row[3] if len(row) > 2 else row[1])
        except (ValueError, IndexError):
            continue
    return p


def main():
    parser = argparse.ArgumentParser(prog='bench/record.sh', description=__doc__)
    parser.add_argument('--device', '-d', default='gpu', help='gpu, dgpu, igpu, cpu or 0:1')
    parser.add_argument('--budget', type=float, default=600, help='seconds; default 600')
    parser.add_argument('--output', '-o', help='NAME of NAME.json and NAME.md')
    parser.add_argument('--pictures', type=int, default=500, help='how many at most; default 500')
    parser.add_argument('--bin', help='folder of mesocl and device_bench')
    parser.add_argument('--pack', metavar='FOLDER', help='make what a bare machine lacks')
    options = parser.parse_args()
    if options.pack:
        import pack
        return pack.make(options)
    options.output = os.path.abspath(options.output or 'record-' + time.strftime('%Y%m%d-%H%M') +
                                     '-' + socket.gethostname().split('.')[0])
    record = Record(options)
    try:
        record.run()
    except KeyboardInterrupt:
        record.stages.missing.append('the rest: interrupted')
        record.save()
    finally:
        shutil.rmtree(record.work, ignore_errors=True)
    print(f'written: {options.output}.md and .json')
    for sentence in record.stages.missing:
        print('missing:', sentence)
    return 0


if __name__ == '__main__':
    sys.exit(main())
