"""How long a prediction takes on this machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from restore.core.inference.engine import predict_image
from restore.core.inference.predictor import Predictor
from restore.core.specs import ImageSpec


def time_prediction(
    method: Predictor,
    networks: Mapping[str, nn.Module],
    *,
    device: torch.device | str = "cpu",
    side: int = 256,
    repeats: int = 3,
) -> float:
    """Return the seconds that a megapixel of the main output takes: the median of several predictions of one image.

    Args:
        method: what is timed.
        networks: its networks.
        device: device to compute on.
        side: height and width of the main input in pixels.
        repeats: number of predictions that count; one more warms up.
    """
    inputs = {name: _make_input(spec, round(side * spec.scale)) for name, spec in method.inputs.items()}
    seconds = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        result = predict_image(method, networks, inputs, device=device)[method.main_output]
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:]) / (result.shape[-1] * result.shape[-2] / 1e6)


def _make_input(spec: ImageSpec, side: int) -> Tensor:
    """Return noise for an image, and a square in the middle for a mask."""
    if spec.smooth:
        noise = torch.rand(spec.channels, side, side, generator=torch.Generator().manual_seed(0))
        return spec.low + (spec.high - spec.low) * noise
    mask = torch.full((spec.channels, side, side), spec.low)
    mask[:, side // 4 : side // 2, side // 4 : side // 2] = spec.high
    return mask
