"""Settings that a run on the sample uses instead of the defaults, to take minutes on a CPU. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ARCHITECTURE = "restorer/drunet"
"""The network that the recipe was tuned for: it sees far at little cost, as most of it runs at lower resolutions."""

SAMPLE_RECIPE: Mapping[str, Any] = {
    "model": {"architecture": ARCHITECTURE, "channels": 32, "blocks": 1, "scales": 3},
    "crop_size": 48,
    "batch_size": 8,
    "samples_per_epoch": 1520,
    "ema": 0.995,
    "optimizer": {"lr": 2e-3, "clip_norm": 1.0, "schedule": {"name": "cosine", "warmup": 0.05}},
}
"""Defaults of a run on the sample."""
