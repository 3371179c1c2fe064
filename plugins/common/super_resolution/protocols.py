"""Evaluation protocols of super-resolution, as in published tables."""

from __future__ import annotations

import math
from collections.abc import Mapping

from restore.core.metrics import EvaluationProtocol
from restore.plugins.common.degradation.settings import DegradationSettings
from restore.plugins.common.metrics import PSNR, SSIM, Comparison


def super_resolution_protocols(
    scale: float, degradation: DegradationSettings | None = None
) -> Mapping[str, EvaluationProtocol]:
    """Return PSNR and SSIM of upscaled images by protocol.

    - ``y8-border``: luma rounded to 8 bits, ``scale`` pixels cropped from each side: the classic tables.
    - ``y-border``: the same without rounding, as in papers since RCAN (Zhang et al., 2018).
    - ``rgb-border``: 8-bit RGB, the same border: BasicSR and MMagic.
    - ``rgb``: the whole image as it is.

    The border of a fractional scale is rounded up. A degradation of the inputs becomes part of every convention.
    """
    border, degraded = math.ceil(scale), str(degradation) if degradation is not None and degradation.active else ""
    return {
        "y8-border": _compare(Comparison("y8", border, degraded)),
        "y-border": _compare(Comparison("y", border, degraded)),
        "rgb-border": _compare(Comparison("rgb8", border, degraded)),
        "rgb": _compare(Comparison("rgb", degraded=degraded)),
    }


def y8_border(scale: float) -> EvaluationProtocol:
    """Return PSNR and SSIM of the luma, rounded to 8 bits, with a border of ``scale``, rounded up, cut off."""
    return _compare(Comparison("y8", math.ceil(scale)))


def y_border(scale: float) -> EvaluationProtocol:
    """Return the same without rounding the luma."""
    return _compare(Comparison("y", math.ceil(scale)))


def rgb_border(scale: float) -> EvaluationProtocol:
    """Return the same of 8-bit RGB."""
    return _compare(Comparison("rgb8", math.ceil(scale)))


def rgb(scale: float = 1.0) -> EvaluationProtocol:  # noqa: ARG001 - given to every protocol of the role
    """Return PSNR and SSIM of the image as it is."""
    return _compare(Comparison("rgb"))


def _compare(comparison: Comparison) -> EvaluationProtocol:
    return {"psnr": PSNR(comparison), "ssim": SSIM(comparison)}
