"""Measure the speed of bf16 training on this machine; for information only."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from restore.core.runtime.precision import autocast

WORTH_IT = 1.15
"""Speedup of bf16 over fp32 from which bf16 is recommended."""


def bf16_speedup(device: torch.device) -> float:
    """Measure, in about a second, the speedup of bf16 over fp32 on a small network; 0 if bf16 is not supported."""
    # smaller images would only measure the launch time of GPU kernels
    side = 24 if device.type == "cpu" else 128
    with torch.random.fork_rng(devices=[]):
        body = nn.Sequential(*(layer for _ in range(4) for layer in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())))
        body.to(device).to(memory_format=torch.channels_last)
        image = torch.rand(8, 64, side, side).to(device, memory_format=torch.channels_last)
    try:
        return round(_seconds(body, image, "fp32") / _seconds(body, image, "bf16"), 2)
    except RuntimeError:  # raised by devices without bf16
        return 0.0


def _seconds(body: nn.Module, image: Tensor, precision: str) -> float:
    """Return the best time of a forward and backward pass."""

    def once() -> float:
        start = time.perf_counter()
        with autocast(image.device, precision):
            loss = body(image).float().square().mean()
        loss.backward()
        loss.item()  # waits for the device
        return time.perf_counter() - start

    for _ in range(3):
        once()
    return min(once() for _ in range(8))
