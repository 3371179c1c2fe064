"""Converters of published checkpoints that restore images at their own size."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from restore.core.weights.convert import Converter
from restore.plugins.common.super_resolution import esrgan_files

NETWORK = "restorer"


def rrdbnet(state: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an RRDBNet of scale 1."""
    return esrgan_files.of_scale_one(esrgan_files.rrdbnet(state, NETWORK))


def srvggnet(state: dict[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and state of an SRVGGNetCompact of scale 1."""
    return esrgan_files.of_scale_one(esrgan_files.srvggnet(state, NETWORK))


CONVERTERS = {
    "rrdbnet": Converter("RRDBNet of BasicSR, ESRGAN and Real-ESRGAN, scale 1", rrdbnet),
    "srvggnet-compact": Converter("SRVGGNetCompact of Real-ESRGAN, scale 1", srvggnet),
}
"""What ``restore import --task restorer --from`` accepts."""
