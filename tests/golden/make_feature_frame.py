# SPDX-License-Identifier: Apache-2.0
"""Prints the rows of `pictures` in tests/test_feature_frame.c.

    pip install numpy==2.2.6 opencv-python-headless==4.10.0.84 PyWavelets==1.8.0 \
        scikit-image==0.26.0
    python tests/golden/make_feature_frame.py PHOTO

PHOTO: mesonet's Validation/Real/100_0.jpg. Before it prints, it proves that the definitions in
src/picture/feature_frame.h are OpenCV's.
"""

import sys
import zlib

import cv2
import numpy as np
from skimage.io import imread
from skimage.restoration import denoise_wavelet, estimate_sigma


def drawn(height, width):
    values, s = [], 1
    for _ in range(height * width * 3):
        s = (s * 1103515245 + 12345) & 0x7FFFFFFF
        values.append(s >> 16 & 255)
    return np.array(values, np.uint8).reshape(height, width, 3)


def golden(picture):
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert np.array_equal(grey, (picture.astype(int) @ [9798, 19235, 3735] + 16384) >> 15)
    stretched = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    laplacian = cv2.Laplacian(stretched, cv2.CV_64F, ksize=1)
    edges = [cv2.Canny(grey, *t) for t in ((0, 10), (0, 30), (100, 200))]
    v = picture / 255.0
    sigma = estimate_sigma(v, channel_axis=-1, average_sigmas=True)
    residual = v - denoise_wavelet(
        v, sigma=sigma, method="BayesShrink", mode="soft", wavelet="db1", convert2ycbcr=True,
        channel_axis=-1, rescale_sigma=True)
    return (
        [int(stretched.sum())],
        [int(laplacian.min()), int(laplacian.max()), int(laplacian.sum()),
         int(np.abs(laplacian).sum())],
        [int(x) for x in laplacian.ravel()[:6]],
        cv2.Laplacian(grey, cv2.CV_64F, ksize=1).var(),
        [int((e > 0).sum()) for e in edges],
        [hex(zlib.crc32(e.tobytes())) for e in edges],
        sigma,
        10 * np.log10(1 / np.mean(residual**2)),
        residual.std(),
        [float(x) for x in residual.ravel()[[0, 1, 2, -1]]],
    )


x = drawn(16, 16)
odd = drawn(71, 37)
odd[61:] = odd[:, 29:] = 77
pictures = {"X": x, "Y": x // 3 + 20, "odd": odd, "photo": imread(sys.argv[1])}
for name, picture in pictures.items():
    print(name, picture.shape, *golden(picture), sep="\n    ")
