"""A sheet of crops: a row for each image, a column for each model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from restore.cli.prediction.crops import Crop
from restore.core.atomic import atomic_write

SIDE = 256
"""Longest side of a crop in pixels."""

ROWS = 40
"""Largest number of images on a sheet."""

_GAP, _TEXT, _SIZE = 8, 22, 14


class ContactSheet:
    """Collects rows of crops, and draws them."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._rows: list[tuple[str, list[Image.Image | None]]] = []
        self._left_out = 0

    def add(self, name: str, crops: Sequence[Crop]) -> None:
        """Add the crops of one image, of which the middle is shown."""
        if len(self._rows) < ROWS:
            self._rows.append((name, [crop.image and _middle(crop.image) for crop in crops]))
        else:
            self._left_out += 1

    def write(self, path: Path) -> Path:
        """Write the sheet as a PNG file."""
        heights = [max((image.height for image in images if image), default=_TEXT) for _, images in self._rows]
        height = _GAP + _TEXT + sum(own + _TEXT + _GAP for own in heights) + _TEXT * bool(self._left_out)
        sheet = Image.new("RGB", (_GAP + len(self._labels) * (SIDE + _GAP), height), "white")
        draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_SIZE)
        for column, label in enumerate(self._labels):
            draw.text((_get_left(column), _GAP), _shorten(draw, label, font, SIDE), "black", font)
        top = _GAP + _TEXT
        for (name, images), own in zip(self._rows, heights, strict=True):
            draw.text((_GAP, top), _shorten(draw, name, font, sheet.width - 2 * _GAP), "gray", font)
            for column, image in enumerate(images):
                if image is None:
                    draw.text((_get_left(column), top + _TEXT), "failed", "gray", font)
                else:
                    sheet.paste(image, (_get_left(column), top + _TEXT))
            top += own + _TEXT + _GAP
        if self._left_out:
            draw.text((_GAP, top), f"and {self._left_out} more", "gray", font)
        with atomic_write(path) as temporary:
            sheet.save(temporary, "PNG", optimize=True)
        return path


def _get_left(column: int) -> int:
    return _GAP + column * (SIDE + _GAP)


def _middle(image: Image.Image) -> Image.Image:
    left, top = max(0, image.width - SIDE) // 2, max(0, image.height - SIDE) // 2
    return image.crop((left, top, min(image.width, left + SIDE), min(image.height, top + SIDE)))


def _shorten(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, most: int
) -> str:
    """Return a text that is at most so many pixels wide; the end matters more than the beginning."""
    if draw.textlength(text, font) <= most:
        return text
    while len(text) > 1 and draw.textlength(f"…{text}", font) > most:
        text = text[1:]
    return f"…{text}"
