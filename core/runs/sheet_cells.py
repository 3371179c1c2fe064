"""Where the images of a sheet of samples lie: the PNG file of the sheet tells it. Imports no torch."""

from __future__ import annotations

import json

from PIL import Image

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""

KEY = "cells"
"""Text of the PNG file with the boxes of each row, as JSON."""


def read_cells(sheet: Image.Image) -> list[list[Box]]:
    """Return the boxes of a sheet, row by row; empty if it does not tell them."""
    try:
        rows = json.loads(str(sheet.info.get(KEY, "")))
        return [[(int(a), int(b), int(c), int(d)) for a, b, c, d in row] for row in rows]
    except (ValueError, TypeError, RecursionError):
        return []
