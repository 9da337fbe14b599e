# SPDX-License-Identifier: Apache-2.0
"""TensorFlow: a frozen function, with its oneDNN kernels."""

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from meso_model import read_model, reordered
from tensorflow_net import net_function

NAME, VERSION = "TensorFlow", tf.__version__
MODES = [
    ("reordered", 1, 1, True),
    ("reordered", 2, 1, True),
    ("reordered", 1, 2, True),
]
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}


def build(path, mode, threads, batch):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    net = net_function(reordered(read_model(path)), batch)
    run = convert_variables_to_constants_v2(net.get_concrete_function())

    def predict(pixels):
        return run(tf.convert_to_tensor(pixels))[0].numpy()[:, 0]

    return predict
