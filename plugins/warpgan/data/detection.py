"""Find the five landmarks of a face with OpenCV's YuNet."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.images.pixels import to_uint8
from restore.plugins.common.downloading import download
from restore.plugins.common.images.resize import bilinear
from restore.plugins.warpgan.data.alignment import REFERENCE, SCALE, Points

Detect = Callable[[Tensor], Points | None]
"""Returns the five landmarks (5, 2) of the largest face in an image (3, H, W) in [0, 1], or None without a face."""

YUNET_URL = (
    "https://media.githubusercontent.com/media/opencv/opencv_zoo/47534e27c9851bb1128ccc0102f1145e27f23f98/"
    "models/face_detection_yunet/face_detection_yunet_2026may.onnx"
)
YUNET_SHA256 = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"
"""YuNet (Wu, Peng and Yu, 2023; MIT), 229,738 bytes: the version with a dynamic input size, which OpenCV 5 needs."""

LARGEST_SIDE = 640
"""Larger images are downscaled to this side, because the detector was trained on faces of 10 to 300 pixels."""

MIN_SCORE = 0.7
"""Detections with less confidence are not faces."""


def find_detector(chosen: str = "auto") -> Detect | None:
    """Return the face detector that ``--detector`` asks for; None if ``auto`` finds none.

    Raises UsageError if OpenCV or the file is missing, RestoreError if the download fails, DataError if the file is not
    a detector.

    Args:
        chosen: ``yunet``, which is downloaded once; the path of its file; or ``auto``: YuNet if OpenCV and the file are
            already on this machine.
    """
    published = Path(torch.hub.get_dir()) / "checkpoints" / YUNET_URL.rpartition("/")[2]
    installed = find_spec("cv2") is not None
    if chosen == "auto" and not (installed and published.is_file()):
        return None
    if not installed:
        raise UsageError(f"--detector {chosen} needs OpenCV: pip install 'restorekit[faces]'")
    if chosen in ("auto", "yunet"):
        path = published if published.is_file() else download(YUNET_URL, published, sha256=YUNET_SHA256)
    else:
        path = Path(chosen).expanduser()
    if not path.is_file():
        raise UsageError(f"--detector {chosen}: no such file; expected auto, yunet or the path of a YuNet model")
    return yunet(path)


def yunet(path: Path) -> Detect:
    """Return the detector in a YuNet file. Raises DataError if the file has none."""
    cv2: Any = import_module("cv2")
    try:
        network = cv2.FaceDetectorYN.create(str(path), "", (LARGEST_SIDE, LARGEST_SIDE), MIN_SCORE)
    except cv2.error as error:
        raise DataError(f"--detector {path}: OpenCV cannot load it as a face detector; use a YuNet model") from error

    def detect(image: Tensor) -> Points | None:
        height, width = image.shape[-2:]
        shrink = min(1.0, LARGEST_SIDE / max(height, width))
        small = bilinear(image, (max(1, round(height * shrink)), max(1, round(width * shrink))))
        rows, columns = small.shape[-2:]
        network.setInputSize((columns, rows))
        blue_first = np.ascontiguousarray(to_uint8(small.flip(0)).permute(1, 2, 0).numpy())
        _, faces = network.detect(blue_first)  # (N, 15) or None: a box, five points, the score
        if faces is None or not len(faces):
            return None
        largest = faces[np.argmax(faces[:, 2] * faces[:, 3])]
        # YuNet starts with the person's right eye and right corner of the mouth. They lie left in the image, like the
        # first points of the reference, so the order is the same.
        points = largest[4:14].reshape(5, 2).astype(np.float64)
        return np.asarray((points + 0.5) * [width / columns, height / rows] - 0.5)

    return detect


def middle(height: int, width: int, scale: float = SCALE) -> Points:
    """Return landmarks of a face that fills the image; aligned by them, the result is the center square."""
    side = min(height, width)
    return REFERENCE * (scale * side) + [width / 2, height / 2]
