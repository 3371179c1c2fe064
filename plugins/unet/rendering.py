"""The pictures that a prediction is written as."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from restore.plugins.unet.overlays import as_colour, overlay, regions
from restore.plugins.unet.settings import ModelSettings, PredictSettings

LEVELS = 255
"""Class numbers are written as this many steps of gray: number 3 as 3 in a file of 8 bits."""


def render(probabilities: Tensor, planes: Tensor, model: ModelSettings, options: PredictSettings) -> dict[str, Tensor]:
    """Pictures (C, H, W) in [0, 1] for probabilities (classes, H, W) and the planes (C, H, W) that the network read.

    A single class gives the mask ``""``, ``probability`` and ``overlay``; overlapping classes a mask ``<class>`` and
    ``probability-<class>`` each; exclusive classes one mask ``""`` of class numbers. The overlay is one picture.
    """
    names: Sequence[str] = model.classes or ["foreground"]
    found = regions(probabilities, model.exclusive, options.threshold)
    shown: dict[str, Tensor] = {}
    if "mask" in options.write:
        if model.exclusive:
            shown[""] = probabilities.argmax(0, keepdim=True).float() / LEVELS
        elif len(names) == 1:
            shown[""] = found.float()
        else:
            shown.update({name: found[place : place + 1].float() for place, name in enumerate(names)})
    if "probability" in options.write:
        for place, name in enumerate(names):
            shown["probability" if len(names) == 1 else f"probability-{name}"] = probabilities[place : place + 1]
    if "overlay" in options.write:
        shown["overlay"] = overlay(as_colour(planes), found, skip_first=model.exclusive)
    return shown
