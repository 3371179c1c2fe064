"""What a run on the sample uses instead of the defaults, to end in minutes on a CPU. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAMPLE_MODEL: Mapping[str, Any] = {"architecture": "inpaint_gan/unet-generator", "start": "smooth", "norm": "none"}
"""The generator that the recipe applies to."""

SAMPLE_RECIPE: Mapping[str, Any] = {
    "model": {"channels": 24, "norm": "none", "depth": 3, "blocks": 4, "detail": True},
    "masks": {"kinds": ["scratches", "graffiti"], "coverage": (0.1, 0.25)},
    "batch_size": 4,
    "ema": 0.99,
    "pretrain": {"optimizer": {"lr": 4e-3, "betas": (0.9, 0.99)}},
    "adversarial": {"generator": {"schedule": {"name": "cosine"}}},
}
"""Defaults of a run on the sample."""
