"""``restore data align``, ``restore control-points`` and ``restore exaggerate``."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import ImageDraw
from torch import Tensor

from restore.core.atomic import refuse_overwrite, writable_folder
from restore.core.errors import RestoreError, UsageError
from restore.core.images.files import open_image, read_image, write_image
from restore.core.images.listing import has_images, list_images
from restore.core.images.pixels import to_pil_image
from restore.core.networks import Networks
from restore.core.prediction import choose_options
from restore.plugins.common.animation import KINDS, check_kind, write_animation
from restore.plugins.common.images.failures import Failures
from restore.plugins.warpgan.data.alignment import Points, align_face
from restore.plugins.warpgan.data.detection import Detect, find_detector, middle
from restore.plugins.warpgan.data.landmarks import LandmarkFolder, LandmarkList, read_landmarks
from restore.plugins.warpgan.letterbox import Letterbox
from restore.plugins.warpgan.options import AlignSettings, ControlPointsSettings, ExaggerateSettings
from restore.plugins.warpgan.task import WarpGAN

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """An image to align, and its folder relative to the given one."""

    path: Path
    folder: Path

    @property
    def identity(self) -> str:
        """The person, from the name of the folder; empty in a single folder."""
        return self.folder.name


def align(settings: AlignSettings) -> None:
    """Write the aligned images of a folder. Images that cannot be aligned are reported and skipped.

    Raises UsageError if there is nothing to align or an output exists, and RestoreError at the end if any image was
    skipped.
    """
    found = list(images_below(settings.folder))
    known = read_landmarks(settings.landmarks) if settings.landmarks else None
    detect = find_detector(settings.detector) if known is None else None
    targets = {each: settings.output / each.folder / f"{each.path.stem}.png" for each in found}
    _refuse(targets, settings)
    if known is None and detect is None:
        _log.warning(
            "No landmarks and no face detector: the center of every image is used, which is right only if a face "
            "fills it as in aligned images. Use --landmarks, or --detector yunet (needs pip install "
            "'restorekit[faces]'; downloads 230 kB once)."
        )
    failures = Failures()
    for each, target in targets.items():
        failures.attempt(each.path, partial(_align, each, target, known, detect, settings))
    written = len(found) - len(failures.paths)
    print(f"{written} of {len(found)} images, {settings.size} x {settings.size}: {settings.output}")
    failures.raise_any(len(found), "aligned")


def images_below(folder: Path) -> Iterator[Found]:
    """Yield the images in the folders of people inside a folder, and those directly in it.

    Raises UsageError if the folder does not exist or has no images.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: {'is a file, not a folder' if folder.exists() else 'no such folder'}")
    identities = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    filled = [path for path in identities if has_images(path)]
    for identity in filled:
        yield from (Found(path, Path(identity.name)) for path in list_images(identity))
    if not filled or has_images(folder):
        yield from (Found(path, Path()) for path in list_images(folder))


def _refuse(targets: dict[Found, Path], settings: AlignSettings) -> None:
    seen: dict[Path, Path] = {}
    source = {each.path.resolve() for each in targets}
    for each, aligned_at in targets.items():
        for target in (aligned_at, *([_locate_shown(each, settings)] if settings.visualize else [])):
            if target in seen:
                raise UsageError(f"{each.path} and {seen[target].name} would both be written to {target}")
            seen[target] = each.path
            if target.resolve() in source:
                raise UsageError(f"--output {settings.output}: {target} would replace one of the input images")
            refuse_overwrite(target, settings.overwrite)


def _align(
    each: Found,
    target: Path,
    known: LandmarkFolder | LandmarkList | None,
    detect: Detect | None,
    settings: AlignSettings,
) -> None:
    image = read_image(each.path).color
    if known is not None:
        landmarks: Points | None = known.of(each.identity, each.path)
    else:
        height, width = image.shape[-2:]
        landmarks = detect(image) if detect is not None else middle(height, width, settings.face_size)
    if landmarks is None:
        raise RestoreError(f"{each.path}: no face found; use --landmarks")
    writable_folder(target.parent)
    write_image(target, align_face(image, landmarks, settings.size, settings.face_size))
    if settings.visualize:
        shown = _locate_shown(each, settings)
        writable_folder(shown.parent)
        write_image(shown, draw_landmarks(image, landmarks))


def _locate_shown(each: Found, settings: AlignSettings) -> Path:
    return locate_landmark_images(settings.output) / each.folder / f"{each.path.stem}.png"


def locate_landmark_images(output: Path) -> Path:
    """Return the folder for images with landmarks: next to the aligned ones, which may be a dataset."""
    output = output if output.name else output.absolute()
    return output.with_name(f"{output.name}-landmarks")


def draw_landmarks(image: Tensor, landmarks: Points) -> Tensor:
    """Draw landmarks (N, 2) on an image (3, H, W) in [0, 1] as dots in different colors."""
    pil_image = to_pil_image(image)
    draw = ImageDraw.Draw(pil_image)
    radius = max(1.5, min(pil_image.size) / 100)
    colors = ("red", "lime", "yellow", "magenta", "cyan")
    for number, (x, y) in enumerate(landmarks.tolist()):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colors[number % len(colors)])
    return torch.from_numpy(np.array(pil_image)).permute(2, 0, 1).float() / 255


def print_control_points(task: WarpGAN, networks: Networks, settings: ControlPointsSettings) -> None:
    """Print the predicted control points, ``[[x, y, to_x, to_y], …]``.

    Raises UsageError or DataError if the image cannot be read.
    """
    chosen = choose_options(task, networks, settings.image, open_image(settings.image))
    print(json.dumps(chosen["control_points"]))


@torch.no_grad()
def exaggerate(task: WarpGAN, networks: Networks, settings: ExaggerateSettings) -> None:
    """Write a photograph with several exaggerations, as a strip or an animation.

    Raises UsageError or DataError for unreadable images or an output of another kind.
    """
    check_kind(settings.output, *KINDS)
    refuse_overwrite(settings.output, settings.overwrite)
    image = read_image(settings.image).color
    (style,) = task.styles(networks, count=1, seed=settings.seed, like=settings.style_of)
    letterbox = Letterbox.of(image[None], task.settings.model.size)
    scales = torch.linspace(settings.first, settings.last, settings.steps).tolist()
    drawn = (task.draw(letterbox.faces, networks, style, scale).image for scale in scales)
    write_animation(settings.output, [letterbox.back((each + 1) / 2)[0].clamp(0, 1) for each in drawn])
    print(settings.output)
