"""Named ways of measuring super-resolution, each of them somebody's table."""

from __future__ import annotations

import math
from collections.abc import Mapping

from restore.core.metrics import EvaluationProtocol
from restore.plugins.common.metrics import PSNR, SSIM, Comparison


def super_resolution_protocols(scale: float) -> Mapping[str, EvaluationProtocol]:
    """PSNR and SSIM of upscaled images by protocol.

    - ``y8-border``: luma rounded to 8 bits, ``scale`` pixels cut off each side: the classic tables.
    - ``y-border``: the same without rounding the luma, as papers have it since RCAN (Zhang et al., 2018).
    - ``rgb-border``: 8-bit RGB, the same border: what BasicSR and MMagic report.
    - ``rgb``: the image as it is, all of it.

    A scale that is not a whole number is rounded up to a border.
    """
    border = math.ceil(scale)
    comparisons = {
        "y8-border": Comparison("y8", border),
        "y-border": Comparison("y", border),
        "rgb-border": Comparison("rgb8", border),
        "rgb": Comparison("rgb"),
    }
    return {name: {"psnr": PSNR(comparison), "ssim": SSIM(comparison)} for name, comparison in comparisons.items()}
