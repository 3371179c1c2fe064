"""Image files that tests make, and what they became."""

import struct
import zlib

import numpy as np
from PIL import Image


def levels(height=5, width=7, channels=3, dtype=np.uint8, seed=0):
    high = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, high, (height, width, channels), dtype, endpoint=True)


def saved(folder, image, name="image.png", **options):
    path = folder / name
    image.save(path, **options)
    return path


def reopened(path):
    with Image.open(path) as image:
        image.load()
        image.getexif()
        return image


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
