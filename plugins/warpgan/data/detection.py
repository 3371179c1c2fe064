"""Find the five landmarks of a face where nobody has written them down: by a detector that the user has installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms

from restore.plugins.warpgan.data.alignment import REFERENCE, SCALE, Points

Detect = Callable[[Tensor], Points | None]
"""From a picture (3, H, W) in [0, 1] to the five landmarks (5, 2) of its largest face, or None where there is none."""

PACKAGE = "facenet_pytorch"


def detector() -> Detect | None:
    """MTCNN (Zhang et al., 2016) of facenet-pytorch, whose weights come with it; None where it is not installed."""
    if find_spec(PACKAGE) is None:
        return None
    from importlib import import_module

    network: Any = import_module(PACKAGE).MTCNN(select_largest=True, device="cpu")

    def detect(picture: Tensor) -> Points | None:
        boxes, _, landmarks = network.detect(transforms.to_pil_image((255 * picture).round().byte()), landmarks=True)
        if boxes is None:
            return None
        areas = [(right - left) * (bottom - top) for left, top, right, bottom in boxes]
        return np.asarray(landmarks[int(np.argmax(areas))], dtype=np.float64)

    return detect


def middle(height: int, width: int, scale: float = SCALE) -> Points:
    """Landmarks of a face that fills a picture: aligned by them, the largest square in its middle is the result."""
    side = min(height, width)
    return REFERENCE * (scale * side) + [width / 2, height / 2]
