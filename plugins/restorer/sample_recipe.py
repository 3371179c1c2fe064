"""Settings that a run on the sample uses instead of the defaults, to take minutes on a CPU. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ARCHITECTURE = "restorer/dncnn"
"""The network that the recipe was tuned for."""

SAMPLE_RECIPE: Mapping[str, Any] = {
    "model": {"channels": 32, "depth": 8, "batch_norm": False},
    "crop_size": 48,
    "samples_per_epoch": 1120,
    "ema": 0.995,
    "optimizer": {"lr": 2e-3, "clip_norm": 1.0, "schedule": {"name": "cosine", "warmup": 0.05}},
}
"""Defaults of a run on the sample."""
