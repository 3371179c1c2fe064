"""Images as part of a page."""

from __future__ import annotations

import base64
import io
from typing import Literal

from PIL import Image


def embed_image(
    image: Image.Image, max_side: int | None = 512, kind: Literal["jpeg", "png"] = "jpeg", quality: int = 85
) -> str:
    """Return an image as a ``data:`` address for ``<img src>``. Equal images give equal addresses.

    Args:
        image: an image of 8 bits; JPEG drops its alpha channel onto white.
        max_side: longest side in pixels that the page holds (Lanczos); unset: the image's own size.
        kind: ``jpeg`` for photographs, ``png`` where every pixel counts.
        quality: of JPEG, 1 to 95.
    """
    if max_side is not None and max(image.size) > max_side:
        image = image.convert("RGBA" if "A" in image.getbands() else "RGB")
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if kind == "jpeg":
        _opaque(image).save(buffer, format="JPEG", quality=quality, optimize=True)
    else:
        image.save(buffer, format="PNG", optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _opaque(image: Image.Image) -> Image.Image:
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image if image.mode in ("L", "RGB") else image.convert("RGB")
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")
