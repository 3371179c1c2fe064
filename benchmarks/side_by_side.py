"""Put images beside one another, with a title below each, as in docs/tasks.

    python benchmarks/side_by_side.py docs/filled.jpg --window 96 64 160 160 "hole=holed.png" smooth=out/photo.png …

Each image is reduced to ``--window`` (left, top, width, height) and shown without interpolation.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw
from torch import Tensor

from restore.core.images.pixels import to_pil_image

GAP, LINE = 4, 16
"""Pixels between two images, and height of a title."""


def arrange(images: Sequence[tuple[str, Image.Image]], columns: int) -> Image.Image:
    """Return a sheet of images of one size with their titles."""
    width, height = images[0][1].size
    rows, columns = -(-len(images) // columns), min(columns, len(images))
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + LINE + GAP) - GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (title, image) in enumerate(images):
        left, top = number % columns * (width + GAP), number // columns * (height + LINE + GAP)
        sheet.paste(image, (left, top))
        pen.text((left + 2, top + height + 2), title, fill="black")
    return sheet


def cut(image: Tensor, part: tuple[slice, slice], scale: int) -> Image.Image:
    """Return rows and columns of an image (3, H, W) in [0, 1], each pixel shown as a square of ``scale`` pixels."""
    shown = to_pil_image(image[:, part[0], part[1]])
    return shown.resize((scale * shown.width, scale * shown.height), Image.Resampling.NEAREST)


def main() -> None:
    """Read the images, arrange them and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the sheet, PNG or JPEG")
    parser.add_argument("images", nargs="+", metavar="TITLE=FILE")
    parser.add_argument("--window", type=int, nargs=4, metavar=("LEFT", "TOP", "WIDTH", "HEIGHT"))
    parser.add_argument("--scale", type=int, default=1, help="show each pixel as a square of this side")
    parser.add_argument("--columns", type=int, default=4)
    arguments = parser.parse_args()
    shown = []
    for each in arguments.images:
        title, _, file = each.rpartition("=")
        with Image.open(file) as opened:
            image = opened.convert("RGB")
        if arguments.window is not None:
            left, top, width, height = arguments.window
            image = image.crop((left, top, left + width, top + height))
        size = (arguments.scale * image.width, arguments.scale * image.height)
        shown.append((title, image.resize(size, Image.Resampling.NEAREST)))
    arrange(shown, arguments.columns).save(arguments.output, optimize=True, quality=75)


if __name__ == "__main__":
    main()
