"""Converter of published checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from restore.core.errors import WeightsError
from restore.core.weights.convert import Converter
from restore.plugins.common.images.statistics import IMAGENET_MEAN, IMAGENET_STD

State = dict[str, Tensor]


def from_pytorch_nested_unet(state: State) -> tuple[dict[str, Any], State]:
    """Return settings and renamed weights of a ``model.pth`` of 4uiiurz1/pytorch-nested-unet (UNet or NestedUNet).

    That code passes BGR images to ImageNet's RGB statistics, and divides by 255 after normalizing. Both are reproduced
    exactly: the first convolution's input channels and the statistics are reversed, and the standard deviations are 255
    times as large. Unknown keys stay unchanged and are reported.
    """
    renamed = {f"segmenter.{key.removeprefix('module.')}": value for key, value in state.items()}
    if not any(key.startswith(("segmenter.conv0_", "segmenter.final")) for key in renamed):
        raise _refusal(state)
    model: dict[str, Any] = {}
    first = renamed.get("segmenter.conv0_0.conv1.weight")
    if first is not None:
        model.update(channels=first.shape[0], input_channels=first.shape[1])
        if first.shape[1] == 3:
            renamed["segmenter.conv0_0.conv1.weight"] = first.flip(1).contiguous()
            model["mean"] = list(reversed(IMAGENET_MEAN))
            model["std"] = [255 * value for value in reversed(IMAGENET_STD)]
    deep = "segmenter.final4.weight" in renamed
    last = renamed.get("segmenter.final4.weight" if deep else "segmenter.final.weight")
    if last is not None:
        model["classes"] = ["foreground"] if last.shape[0] == 1 else [str(number) for number in range(last.shape[0])]
    if deep:
        model["deep_supervision"] = True
    return {**model, "fit": "resize"}, renamed


_OTHERS = {
    "inc.double_conv.": "a U-Net of milesial/Pytorch-UNet",
    "encoder1.enc1conv1.": "a U-Net of mateuszbuda/brain-segmentation-pytorch (torch.hub)",
    "segmentation_head.": "a network of segmentation_models_pytorch",
    "decoder.seg_layers.": "a network of nnU-Net",
}
"""First letters of names in published networks that are not here, and what they are."""


def _refusal(state: State) -> WeightsError:
    """Return why a state is not that of a network of this converter: what it is, if that is known."""
    for start, name in _OTHERS.items():
        if any(key.startswith(start) for key in state):
            return WeightsError(f"the file holds {name}, which unet does not have")
    return WeightsError("no key of the file belongs to this converter")


CONVERTERS: Mapping[str, Converter] = {
    "pytorch-nested-unet": Converter("UNet and NestedUNet of 4uiiurz1/pytorch-nested-unet.", from_pytorch_nested_unet),
}
