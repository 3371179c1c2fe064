"""What a run on the sample uses instead of the published sizes, to end in minutes on a CPU. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

ARCHITECTURE = "compact"
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
"""Settings of a run on the sample, wherever nothing else is asked for."""


def sample_recipe(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The recipe, less what contradicts settings that were given explicitly.

    Who chooses another generator, or the width or depth of the published one, gets the published recipe with it: rates
    and lengths that suit a small network would not suit a large one. Who says anything about the perceptual loss wants
    to have it.
    """
    model = _group(given, "model")
    sized = not {"channels", "blocks"}.isdisjoint(model)
    if model.get("architecture", None if sized else ARCHITECTURE) != ARCHITECTURE:
        return {}
    if _group(given, "perceptual"):
        return {name: value for name, value in SAMPLE_RECIPE.items() if name != "perceptual"}
    return SAMPLE_RECIPE


def _group(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The settings of a group that were given, whether as a tree or as a settings object."""
    group = given.get(name) or {}
    return group.model_dump(exclude_unset=True) if isinstance(group, BaseModel) else group
