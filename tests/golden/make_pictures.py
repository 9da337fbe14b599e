#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws small GIF, TIFF and WebP files into tests/fixtures/pictures, and writes pictures.tsv: what
Pillow 9.4.0 reads in each, as in image_pixels.tsv (file, width, height, pixels).

    python3 -m venv VENV; VENV/bin/pip install Pillow==9.4.0 numpy tifffile imagecodecs
    VENV/bin/python tests/golden/make_pictures.py

16-bit grey stands with its high bytes, where Pillow saturates.
"""
import pathlib
import zlib

import numpy
import tifffile
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE.parent / "fixtures" / "pictures"
WIDTH, HEIGHT = 19, 13
random = numpy.random.RandomState(1)
y, x = numpy.mgrid[:HEIGHT, :WIDTH]
PIXELS = numpy.dstack([x * 12, y * 19, x * y]).astype(numpy.uint8)
WIDE = random.randint(0, 65536, (HEIGHT, WIDTH, 3)).astype(numpy.uint16)
ALPHA = numpy.dstack([PIXELS, random.randint(0, 256, (HEIGHT, WIDTH)).astype(numpy.uint8)])


def save(name, image, **options):
    image.save(FOLDER / name, **options)


def write(name, pixels, **options):
    tifffile.imwrite(FOLDER / name, pixels, metadata=None, **options)


def draw_tiff():
    rgb = Image.fromarray(PIXELS)
    rgba = Image.fromarray(ALPHA)
    save("rgb_lzw.tif", rgb, compression="tiff_lzw")
    save("grey_packbits.tif", rgb.convert("L"), compression="packbits")
    save("palette_deflate.tiff", rgb.quantize(50), compression="tiff_adobe_deflate")
    save("bits_group4.tif", rgb.convert("1"), compression="group4")
    save("alpha.tif", rgba)
    save("grey_alpha.tif", rgba.convert("LA"))
    save("cmyk.tif", rgb.convert("CMYK"))
    save("jpeg.tif", rgb, compression="jpeg")
    save("grey16.tif", Image.fromarray(WIDE[..., 0]))
    save("pages.tif", rgb, save_all=True, append_images=[rgb.transpose(Image.ROTATE_180)])
    for orientation in range(2, 9):
        save(f"turned{orientation}.tif", rgb, tiffinfo={274: orientation})
    planes = numpy.moveaxis(PIXELS, 2, 0)
    associated = ALPHA.copy()
    associated[..., :3] = associated[..., :3].astype(int) * associated[..., 3:] // 255
    write("strips.tif", PIXELS, photometric="rgb", rowsperstrip=4)
    write("tiles.tif", PIXELS, photometric="rgb", tile=(16, 16), compression="lzw", predictor=True)
    write("planes.tif", planes, photometric="rgb", planarconfig="separate", rowsperstrip=5)
    write("plane_tiles.tif", planes, photometric="rgb", planarconfig="separate", tile=(16, 16),
          compression="deflate")
    write("big.tif", PIXELS, photometric="rgb", bigtiff=True)
    write("wide.tif", WIDE, photometric="rgb", byteorder=">")
    write("white_is_0.tif", PIXELS[..., 0], photometric="miniswhite")
    write("associated.tif", associated, photometric="rgb", extrasamples=["assocalpha"])
    write("jpeg_tiles.tif", PIXELS, photometric="ycbcr", compression="jpeg", tile=(16, 16))
    write("float.tif", PIXELS.astype(numpy.float32), photometric="rgb")


def patched(name, changes):
    content = bytearray((FOLDER / "small.gif").read_bytes())
    for at, byte in changes.items():
        content[at] = byte
    (FOLDER / name).write_bytes(content)


def draw_gif():
    rgb = Image.fromarray(PIXELS)
    palette = rgb.quantize(50)
    save("palette.gif", palette, interlace=0)
    save("interlaced.gif", palette, interlace=1)
    save("transparent.gif", palette, transparency=3)
    save("bits.gif", rgb.convert("1"))
    save("grey.gif", rgb.convert("L"))
    save("frames.gif", palette, save_all=True, append_images=[palette.rotate(180)], duration=9)
    save("small.gif", palette.crop((2, 3, 11, 9)), transparency=3)
    content = (FOLDER / "small.gif").read_bytes()
    frame = content.index(b"\x2c\0\0\0\0\x09\0\x06\0")
    patched("canvas.gif", {6: WIDTH, 8: HEIGHT, frame + 1: 4, frame + 3: 5})
    patched("beyond.gif", {6: 5, 8: 4, frame + 1: 1})


def draw_webp():
    rgba = Image.fromarray(ALPHA)
    save("frames.webp", rgba, save_all=True, append_images=[rgba.rotate(180)], lossless=True)


def row(path):
    with Image.open(path) as image:
        if image.mode == "I;16":
            high = (numpy.asarray(image) >> 8).astype(numpy.uint8)
            image = Image.fromarray(high)
        rgb = image.convert("RGB")
        return f"{path.name}\t{rgb.width}\t{rgb.height}\t{zlib.crc32(rgb.tobytes()):08x}"


def main():
    FOLDER.mkdir(exist_ok=True)
    draw_tiff()
    draw_gif()
    draw_webp()
    lines = ["# Made by make_pictures.py with Pillow: see there."]
    lines += [row(path) for path in sorted(FOLDER.iterdir()) if path.name != "float.tif"]
    (HERE / "pictures.tsv").write_text("\n".join(lines) + "\n")


main()
