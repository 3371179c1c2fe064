"""Output images of a prediction: masks, probability maps, and overlays with tinted, outlined regions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.images.files import OutputImage
from restore.core.specs import ClassMap, ClassMaps
from restore.plugins.unet.options import OutputOptions, SegmentationPredictOptions
from restore.plugins.unet.settings import ModelSettings

LEVELS = 255
"""Class numbers are written as values of an 8-bit file: number 3 as 3."""


def render(
    probabilities: Tensor, planes: Tensor, model: ModelSettings, options: SegmentationPredictOptions
) -> dict[str, OutputImage]:
    """Return the output images (C, H, W) in [0, 1] of a prediction.

    A single class gives the mask ``""``, ``probability`` and ``overlay``. Overlapping classes give a mask ``<class>``
    and ``probability-<class>`` each, exclusive classes one mask ``""`` of class numbers. There is one overlay. Masks
    and overlays have 8 bits, probability maps as many as the input; none has alpha.

    Args:
        probabilities: (classes, H, W).
        planes: the input (C, H, W) of the network.
        model: settings of the network.
        options: options of the prediction.
    """
    names: Sequence[str] = model.classes or ["foreground"]
    found = regions(probabilities, model.multiclass, options.threshold)
    shown: dict[str, OutputImage] = {}
    if "mask" in options.outputs:
        if model.multiclass:
            shown[""] = _map(probabilities.argmax(0, keepdim=True).float() / LEVELS)
        elif len(names) == 1:
            shown[""] = _map(found.float())
        else:
            shown.update({name: _map(found[place : place + 1].float()) for place, name in enumerate(names)})
    if "probability" in options.outputs:
        for place, name in enumerate(names):
            part = "probability" if len(names) == 1 else f"probability-{name}"
            shown[part] = _map(probabilities[place : place + 1], probability=True)
    if "overlay" in options.outputs:
        tinted = overlay(as_color(planes), found, skip_first=model.multiclass)
        shown["overlay"] = OutputImage(tinted, depth=False, alpha=False)
    return shown


def names(model: ModelSettings, options: OutputOptions) -> tuple[str, ...]:
    """Return the names of the images that `render` returns, in their order."""
    classes: Sequence[str] = model.classes or ["foreground"]
    single = len(classes) == 1
    found = {
        "mask": [""] if model.multiclass or single else classes,
        "probability": ["probability"] if single else [f"probability-{name}" for name in classes],
        "overlay": ["overlay"],
    }
    return tuple(name for kind, own in found.items() if kind in options.outputs for name in own)


def class_maps(model: ModelSettings, options: OutputOptions, threshold: float | None) -> ClassMaps | None:
    """Return which of the images of `render` are maps of classes; None if none of them is written.

    Args:
        model: settings of the network.
        options: what is written.
        threshold: threshold of the probabilities; None if it has no meaning.
    """
    classes: Sequence[str] = model.classes or ["foreground"]
    if ("mask" if model.multiclass else "probability") not in options.outputs:
        return None
    parts = [""] * len(classes) if model.multiclass else names(model, OutputOptions(outputs=["probability"]))
    found = [
        ClassMap(name, color_of(place, skip_first=model.multiclass), part)
        for place, (name, part) in enumerate(zip(classes, parts, strict=True))
    ]
    if model.multiclass:
        return ClassMaps(tuple(found), numbers="")
    if threshold is None:
        return ClassMaps(tuple(found))
    return ClassMaps(tuple(found), threshold=threshold, option="threshold")


def _map(image: Tensor, *, probability: bool = False) -> OutputImage:
    """Return an image of numbers, class numbers or probabilities: without the input's alpha and color profile."""
    return OutputImage(image, depth=probability, alpha=False, profile=False, smooth=probability)


COLORS = (
    (0.90, 0.62, 0.00),
    (0.34, 0.71, 0.91),
    (0.00, 0.62, 0.45),
    (0.94, 0.89, 0.26),
    (0.00, 0.45, 0.70),
    (0.84, 0.37, 0.00),
    (0.80, 0.47, 0.65),
)
"""Colors for color-blind people too (Okabe and Ito, 2008); they repeat for more classes."""


def color_of(place: int, *, skip_first: bool) -> tuple[float, float, float] | None:
    """Return the color of a class; None for class 0 if ``skip_first``, the background of exclusive classes."""
    if skip_first and place == 0:
        return None
    return COLORS[(place - skip_first) % len(COLORS)]


def regions(probabilities: Tensor, multiclass: bool, threshold: float = 0.5) -> Tensor:
    """Return where each class is, (C, H, W) bool, for probabilities (C, H, W); of exclusive classes the most
    probable."""
    if not multiclass:
        return probabilities > threshold
    classes = torch.arange(len(probabilities), device=probabilities.device)
    return probabilities.argmax(dim=0, keepdim=True) == classes.view(-1, 1, 1)


def outlines(masks: Tensor) -> Tensor:
    """Return the pixels (C, H, W) of regions with a neighbor above, below, left or right outside the region."""
    inside = F.pad(masks[None].float(), (1, 1, 1, 1), mode="replicate")[0]
    around = torch.stack([inside[:, :-2, 1:-1], inside[:, 2:, 1:-1], inside[:, 1:-1, :-2], inside[:, 1:-1, 2:]])
    return masks & (around.amin(0) == 0)


def overlay(image: Tensor, masks: Tensor, *, skip_first: bool = False, tint: float = 0.3) -> Tensor:
    """Return an image (3, H, W) in [0, 1] with regions tinted and outlined in the color of their class.

    Args:
        image: (3, H, W) in [0, 1].
        masks: regions (C, H, W) bool.
        skip_first: whether to leave out class 0, the background of exclusive classes.
        tint: weight of the color inside regions.
    """
    shown = image.clone()
    borders = outlines(masks)
    for place in range(len(masks)):
        if (named := color_of(place, skip_first=skip_first)) is None:
            continue
        color = image.new_tensor(named).view(3, 1, 1)
        shown = torch.where(masks[place], (1 - tint) * shown + tint * color, shown)
        shown = torch.where(borders[place], color, shown)
    return shown


def as_color(planes: Tensor) -> Tensor:
    """Return the input (C, H, W) of a network as a color image: gray repeated, alpha dropped."""
    return planes.expand(3, -1, -1) if len(planes) == 1 else planes[:3]
