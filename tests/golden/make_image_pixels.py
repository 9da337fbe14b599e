#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes image_pixels.tsv: what Pillow 9.4.0 reads in the image-format suites, as CRC-32 of the RGB
bytes.

    python3 -m venv VENV; VENV/bin/pip install Pillow==9.4.0 numpy
    VENV/bin/python tests/golden/make_image_pixels.py

The suites are found as the tests find them: MESO_TEST_DATA, or ../shared/data. Columns ("-" where
there is none):
  path, width, height   of the file; width "refused" and Pillow's words where it does not read the
                        file
  pixels                Image.open(f).convert('RGB')
  resized               the same, resized to 256 x 256 by NEAREST
  high_byte             16-bit grey: its high bytes as RGB (Pillow's convert saturates instead)
  turned                ImageOps.exif_transpose of pixels, where EXIF says other than 1
  turned_resized        turned, then resized to 251 x 101 by NEAREST
"""
import os
import pathlib
import sys
import warnings
import zlib

import numpy
import PIL
from PIL import Image, ImageOps

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif"}


def crc(image):
    return f"{zlib.crc32(image.tobytes()):08x}"


def high_byte(image):
    grey = (numpy.asarray(image) >> 8).astype(numpy.uint8)
    return Image.fromarray(grey, "L").convert("RGB")


def row(path):
    with Image.open(path) as image:
        rgb = image.convert("RGB")
        orientation = image.getexif().get(0x0112, 1)
        cells = [image.width, image.height, crc(rgb), crc(rgb.resize((256, 256), Image.NEAREST))]
        cells.append(crc(high_byte(image)) if image.mode == "I" else "-")
        if orientation != 1:
            turned = ImageOps.exif_transpose(image).convert("RGB")
            cells += [crc(turned), crc(turned.resize((251, 101), Image.NEAREST))]
        else:
            cells += ["-", "-"]
    return cells


def refusal(error, root):
    words = f"{type(error).__name__}: {error}".replace(f"{root}/", "")
    return ["refused", words.replace("\t", " ").replace("\n", " ")]


def main():
    here = pathlib.Path(__file__).resolve().parent
    data = pathlib.Path(os.environ.get("MESO_TEST_DATA", here.parents[2] / "shared" / "data"))
    root = data / "images" / "formats"
    if PIL.__version__ != "9.4.0":
        sys.exit(f"Pillow 9.4.0 is the reference, not {PIL.__version__}")
    warnings.simplefilter("ignore")
    lines = [f"# Made by make_image_pixels.py with Pillow {PIL.__version__}: "
             "see there for the columns."]
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() not in ENDINGS or "LICENSES" in path.parts:
            continue
        try:
            cells = row(path)
        except Exception as error:  # whatever Pillow raises is its refusal
            cells = refusal(error, root)
        lines.append("\t".join(map(str, [path.relative_to(root).as_posix(), *cells])))
    (here / "image_pixels.tsv").write_text("\n".join(lines) + "\n")


main()
