"""Frames of animations and pages of documents. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from restore.core.errors import UsageError
from restore.core.images import tiff
from restore.core.images.opening import open_file


def frame_count(path: Path) -> int:
    """Return the number of frames or pages of an image file.

    Reduced copies and masks inside a TIFF file do not count, nor the previews that cameras store behind a photograph.
    Raises as `open_file`.
    """
    if tiff.is_tiff(path):
        return len(tiff.frames(path))
    with open_file(path) as image:
        if image.format == "MPO":
            return _same_size(image)
        return int(getattr(image, "n_frames", 1))


def pillow_frame(path: Path, frame: int) -> int:
    """Return Pillow's index of a frame. Raises UsageError if the file has no such frame."""
    if not frame and not tiff.is_tiff(path):
        return 0
    count = frame_count(path)
    if frame >= count:
        raise UsageError(f"{path}: has no frame {frame + 1}; it has {count}")
    return tiff.frames(path)[frame] if tiff.is_tiff(path) else frame


def _same_size(image: Image.Image) -> int:
    """Return how many images in a row have the size of the first: two eyes of a stereo photograph, not a preview."""
    size, count = image.size, 1
    while count < int(getattr(image, "n_frames", 1)):
        image.seek(count)
        if image.size != size:
            break
        count += 1
    return count
