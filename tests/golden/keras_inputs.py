# SPDX-License-Identifier: Apache-2.0
"""The synthetic inputs of the goldens that Keras makes."""

import numpy

SIDE = 32


def inputs():
    """[1][height][width][channel], values 0 to 255."""
    h, w, c = numpy.meshgrid(range(SIDE), range(SIDE), range(3), indexing="ij")
    return {
        "ramp": ((31 * h + 17 * w + 59 * c) % 256)[None].astype("float32"),
        "smooth": (((h + 2 * w + 40 * c) // 3) % 256)[None].astype("float32"),
    }
