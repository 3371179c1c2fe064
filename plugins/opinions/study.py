"""The images of a study: which belong together, and how they become part of a page without a change."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from restore.core.errors import UsageError
from restore.core.images.files import image_size, open_image
from restore.core.images.frames import frame_count
from restore.core.images.listing import list_images
from restore.core.images.opening import open_file
from restore.plugins.common.images.pairing import strip_markers

REFERENCE = "reference"
"""Name of the hidden reference in answers."""
SHOWN = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp", "GIF": "gif", "BMP": "bmp"}
"""Formats that every browser shows, and their media types; others become PNG."""


@dataclass(frozen=True)
class StudyImages:
    """The files of a study."""

    images: tuple[str, ...]
    methods: tuple[str, ...]
    """Without the reference."""
    files: Mapping[str, Mapping[str, Path]]
    """By image and method; the reference is ``REFERENCE``."""


def find_images(inputs: Sequence[Path], reference: Path | None) -> StudyImages:
    """Find the images that all folders have.

    Raises UsageError for a folder without images, an image that a folder lacks, a folder that is given twice, and
    images of one name that differ in size: observers would know a method by it.
    """
    if len({folder.resolve() for folder in inputs}) < len(inputs):
        raise UsageError("--inputs: one folder is given twice")
    first = inputs[0] if reference is None else reference
    files: dict[str, dict[str, Path]] = {}
    for path in list_images(first):
        if path.stem in files:
            raise UsageError(f"{path}: another image has the same name apart from the suffix; remove one of them")
        files[path.stem] = {REFERENCE: path} if reference is not None else {}
    methods = name_methods(inputs)
    for method, folder in zip(methods, inputs, strict=True):
        for image, path in _match(folder, list(files), first).items():
            files[image][method] = path
    for name in (*files, *methods):
        if not name.isprintable():
            raise UsageError(f"{name!r}: a name with control characters or bytes that are no text; rename it")
    for found in files.values():
        (_, one), *others = found.items()
        size = image_size(one)
        for _, path in others:
            if image_size(path) != size:
                height, width = image_size(path)
                raise UsageError(
                    f"{path}: has {width} x {height} pixels and {one} {size[1]} x {size[0]}; observers would know a "
                    "method by its size. Crop or resize one of them"
                )
    return StudyImages(tuple(files), methods, files)


def _match(folder: Path, images: Sequence[str], first: Path) -> dict[str, Path]:
    """Return the file of each image in a folder; names may differ by what scripts add, such as the scale."""
    found: dict[str, Path] = {}
    loose = {strip_markers(image): image for image in images}
    for path in list_images(folder):
        image = path.stem if path.stem in images else loose.get(strip_markers(path.stem))
        if image is None:
            raise UsageError(f"{path}: no image of this name in {first}; all folders must show the same images")
        if image in found:
            raise UsageError(f"{path}: {found[image].name} is the image {image} too; remove one of them")
        found[image] = path
    missing = [image for image in images if image not in found]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UsageError(f"{folder}: has no image {missing[0]}{more}, which {first} has")
    return found


def name_methods(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the name of each folder, with as many folders above it as tell them apart."""
    parts = [folder.resolve().parts for folder in folders]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-depth:]) for each in parts]
        if len(set(names)) == len(names):
            break
    return tuple(f"{name} (results)" if name == REFERENCE else name for name in names)


def embed_unchanged(path: Path) -> str:
    """Return an image file as a ``data:`` address with every pixel as it is.

    Files that every browser shows stay what they are, byte by byte; others, such as TIFF, become PNG with 8 bits per
    channel. Raises DataError for a damaged file.
    """
    image = open_image(path)  # decodes all of it
    with open_file(path) as file:
        kind = SHOWN.get(str(file.format))
    if kind is not None and frame_count(path) == 1:
        return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
    levels = np.asarray(image.levels)
    if levels.dtype != np.uint8:
        levels = ((levels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels).save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def embed_images(images: StudyImages, limit: int) -> tuple[list[str], dict[str, dict[str, int]]]:
    """Return the addresses of all images, equal ones once, and the place of each by image and method.

    Args:
        images: the files.
        limit: bytes of all addresses together.

    Raises:
        UsageError: the images are larger than the limit.
    """
    addresses: dict[str, int] = {}
    places: dict[str, dict[str, int]] = {}
    total = 0
    for image, found in images.files.items():
        places[image] = {}
        for method, path in found.items():
            address = embed_unchanged(path)
            if address not in addresses:
                total += len(address)
                addresses[address] = len(addresses)
            places[image][method] = addresses[address]
            if total > limit:
                raise UsageError(
                    f"the images are larger than {limit / 1e6:.0f} MB in a page (at {path}); take fewer images or "
                    "crops of them, or raise --max-megabytes"
                )
    return list(addresses), places


def identify(parts: Sequence[str]) -> str:
    """Return a short digest of texts, in their order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part.encode("utf-8", "surrogateescape")).digest())
    return digest.hexdigest()[:16]
