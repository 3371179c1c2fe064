"""What a run on the sample uses instead of the defaults, to end in minutes on a CPU. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ARCHITECTURE = "lbam/generator"
"""The generator that the recipe was tuned for."""

SAMPLE_RECIPE: Mapping[str, Any] = {
    "model": {"channels": 24, "prefill": "smooth", "levels": 3, "blocks": 4, "detail": True},
    "masks": {"kinds": ["scratches", "graffiti"], "coverage": (0.1, 0.25)},
    "batch_size": 4,
    "ema": 0.99,
    "pretrain": {"optimizer": {"lr": 4e-3, "betas": (0.9, 0.99)}},
    "adversarial": {"weight": 0.01, "generator": {"schedule": {"name": "cosine"}}},
}
"""Defaults of a run on the sample."""
