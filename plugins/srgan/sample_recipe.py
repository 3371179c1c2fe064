"""Settings that a run on the sample uses instead of the defaults, to take minutes on a CPU. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ARCHITECTURE = "srgan/compact"
"""The generator that the recipe was tuned for."""

SAMPLE_RECIPE: Mapping[str, Any] = {
    "model": {"architecture": ARCHITECTURE, "channels": 32, "blocks": 5},
    "discriminator": {"channels": 16, "hidden": 256},
    "samples_per_epoch": 1200,
    "ema": 0.995,
    "pretrain": {"optimizer": {"lr": 4e-3, "clip_norm": 1.0, "schedule": {"name": "cosine", "warmup": 0.05}}},
    "adversarial": {
        "weight": 5e-3,
        "generator": {"betas": (0.5, 0.999), "schedule": {"name": "cosine"}},
        "discriminator": {"lr": 4e-4, "betas": (0.5, 0.999)},
    },
    "perceptual": {"weight": 0.0},
}
"""Defaults of a run on the sample."""
