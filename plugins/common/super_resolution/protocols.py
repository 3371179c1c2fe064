"""Evaluation protocols of super-resolution, as in published tables."""

from __future__ import annotations

import math
from collections.abc import Mapping

from restore.core.metrics import EvaluationProtocol
from restore.plugins.common.metrics import PSNR, SSIM, Comparison


def super_resolution_protocols(scale: float) -> Mapping[str, EvaluationProtocol]:
    """Return PSNR and SSIM of upscaled images by protocol.

    - ``y8-border``: luma rounded to 8 bits, ``scale`` pixels cropped from each side: the classic tables.
    - ``y-border``: the same without rounding, as in papers since RCAN (Zhang et al., 2018).
    - ``rgb-border``: 8-bit RGB, the same border: BasicSR and MMagic.
    - ``rgb``: the whole image as it is.

    The border of a fractional scale is rounded up.
    """
    border = math.ceil(scale)
    comparisons = {
        "y8-border": Comparison("y8", border),
        "y-border": Comparison("y", border),
        "rgb-border": Comparison("rgb8", border),
        "rgb": Comparison("rgb"),
    }
    return {name: {"psnr": PSNR(comparison), "ssim": SSIM(comparison)} for name, comparison in comparisons.items()}
