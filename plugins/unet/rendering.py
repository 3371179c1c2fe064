"""The pictures that a prediction is written as."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from restore.core.planes import Rendered
from restore.plugins.unet.options import PredictSettings
from restore.plugins.unet.overlays import as_colour, overlay, regions
from restore.plugins.unet.settings import ModelSettings

LEVELS = 255
"""Class numbers are written as this many steps of gray: number 3 as 3 in a file of 8 bits."""


def render(
    probabilities: Tensor, planes: Tensor, model: ModelSettings, options: PredictSettings
) -> dict[str, Rendered]:
    """Pictures (C, H, W) in [0, 1] for probabilities (classes, H, W) and the planes (C, H, W) that the network read.

    A single class gives the mask ``""``, ``probability`` and ``overlay``; overlapping classes a mask ``<class>`` and
    ``probability-<class>`` each; exclusive classes one mask ``""`` of class numbers. The overlay is one picture.
    Masks and overlays have 8 bits, probability maps as many as the input, and none of them its alpha.
    """
    names: Sequence[str] = model.classes or ["foreground"]
    found = regions(probabilities, model.exclusive, options.threshold)
    shown: dict[str, Rendered] = {}
    if "mask" in options.write:
        if model.exclusive:
            shown[""] = _map(probabilities.argmax(0, keepdim=True).float() / LEVELS)
        elif len(names) == 1:
            shown[""] = _map(found.float())
        else:
            shown.update({name: _map(found[place : place + 1].float()) for place, name in enumerate(names)})
    if "probability" in options.write:
        for place, name in enumerate(names):
            part = "probability" if len(names) == 1 else f"probability-{name}"
            shown[part] = _map(probabilities[place : place + 1], depth=True)
    if "overlay" in options.write:
        tinted = overlay(as_colour(planes), found, skip_first=model.exclusive)
        shown["overlay"] = Rendered(tinted, depth=False, alpha=False)
    return shown


def _map(picture: Tensor, depth: bool = False) -> Rendered:
    """Numbers rather than colours: whoever reads them wants neither the input's alpha nor its profile."""
    return Rendered(picture, depth=depth, alpha=False, profile=False)
