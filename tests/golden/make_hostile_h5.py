# SPDX-License-Identifier: Apache-2.0
"""Makes tests/fixtures/hostile_* and split_names.h5. Not part of CI; needs h5py and numpy.

    python3 tests/golden/make_hostile_h5.py
"""

import pathlib
import zipfile

import h5py
import numpy

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"


def main():
    """Files with one layer `dense` each, whose kernel is something that must be refused."""
    ones = numpy.ones((2, 2), "float32")

    def virtual(layer):
        layout = h5py.VirtualLayout((2, 2), "float32")
        layout[:] = h5py.VirtualSource("other.h5", "kernel", (2, 2))
        layer.create_virtual_dataset("kernel:0", layout)

    def external(layer):
        layer.create_dataset("kernel:0", (2, 2), "float32", external=[("other.raw", 0, 16)])

    def cycle(layer):
        layer["kernel:0"] = ones
        layer["self"] = layer  # a hard link: legal, but a walk must end

    kinds = {
        "soft_link": lambda layer: layer.__setitem__("kernel:0", h5py.SoftLink("/elsewhere")),
        "external_link": lambda layer: layer.__setitem__("kernel:0",
                                                         h5py.ExternalLink("other.h5", "/k")),
        "virtual": virtual,
        "external_data": external,
        "shuffle": lambda layer: layer.create_dataset("kernel:0", data=ones, chunks=(2, 2),
                                                      shuffle=True),
        "five_dims": lambda layer: layer.create_dataset("kernel:0",
                                                        data=ones.reshape(1, 1, 1, 2, 2)),
        "bomb": lambda layer: layer.create_dataset("kernel:0", (1 << 20, 1 << 20), "float32",
                                                   chunks=(1024, 1024), compression="gzip"),
        "float64": lambda layer: layer.create_dataset("kernel:0", data=ones.astype("float64")),
        "text": lambda layer: layer.create_dataset("kernel:0", data=numpy.array([b"a", b"b"])),
        "missing": lambda layer: None,
        "cycle": cycle,
    }
    for name, make in kinds.items():
        with h5py.File(FIXTURES / f"hostile_{name}.h5", "w") as file:
            file.attrs["layer_names"] = [b"dense"]
            layer = file.create_group("dense")
            layer.attrs["weight_names"] = [b"kernel:0"]
            make(layer)
    with h5py.File(FIXTURES / "hostile_vars_cycle.weights.h5", "w") as file:
        layers = file.create_group("layers")
        layers["layers"] = layers
        layers["again"] = layers
    # A list that Keras 2 splits because it is long.
    with h5py.File(FIXTURES / "split_names.h5", "w") as file:
        file.attrs["layer_names0"] = [b"dense"]
        file.attrs["layer_names1"] = [b"dense_1"]
        for name in ("dense", "dense_1"):
            layer = file.create_group(name)
            layer.attrs["weight_names0"] = [b"kernel:0"]
            layer.attrs["weight_names1"] = [b"bias:0"]
            layer.create_dataset("kernel:0", data=ones, chunks=(2, 2), compression="gzip")
            layer.create_dataset("bias:0", data=ones[0].astype("float16"))
    with zipfile.ZipFile(FIXTURES / "hostile_no_weights.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", "{}")
    with zipfile.ZipFile(FIXTURES / "hostile_zip_bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (20 << 20))


main()
