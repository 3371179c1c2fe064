"""How fast this machine trains in bf16, measured; nothing is decided by it."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from restore.core.runtime.precision import autocast

WORTH_IT = 1.15
"""How many times faster bf16 must be than fp32 to be recommended."""


def bf16_speedup(device: torch.device) -> float:
    """How many times faster bf16 trains a small network than fp32 does, in about a second; 0 where it cannot be."""
    # small images would only show how fast a GPU starts its kernels
    side = 24 if device.type == "cpu" else 128
    with torch.random.fork_rng(devices=[]):
        body = nn.Sequential(*(layer for _ in range(4) for layer in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())))
        body.to(device).to(memory_format=torch.channels_last)
        image = torch.rand(8, 64, side, side).to(device, memory_format=torch.channels_last)
    try:
        return round(_seconds(body, image, "fp32") / _seconds(body, image, "bf16"), 2)
    except RuntimeError:  # a device without bf16 says so when it is asked to compute in it
        return 0.0


def _seconds(body: nn.Module, image: Tensor, precision: str) -> float:
    """Best time of a forward and backward pass."""

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
