"""Published checkpoints of other projects: how their parameters are called here, and which network they need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from restore.core.errors import WeightsError
from restore.core.weights.convert import Converter
from restore.plugins.inpaint_gan.blocks import Norm
from restore.plugins.inpaint_gan.unet import UNetGenerator

State = Mapping[str, Tensor]


def daa233(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Model settings and renamed state for a generator of daa233/generative-inpainting-pytorch (MIT, commit c6cdaea0).

    Contextual attention is computed as it was there, but for the masks: each sample has its own. Raises WeightsError
    for a discriminator, or where nothing belongs to such a generator.
    """
    if any(key.startswith("dis_conv_module.") for key in state):
        raise _needless("discriminator")
    first = [key for key in state if key.endswith("_generator.conv1.conv.weight")]
    if not first:
        raise WeightsError("no key of the file belongs to this converter")
    settings = {"generator": "coarse-to-fine", "channels": len(state[first[0]]), "attention": {"published": True}}
    return settings, {f"generator.{key}": tensor for key, tensor in state.items()}


def pix2pix(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Model settings and renamed state for a U-Net of junyanz/pytorch-CycleGAN-and-pix2pix (BSD, commit 78913853).

    A network of images alone gets weights of zero for the mask, so that it draws what it drew without. Biases that
    instance normalization takes away again are left out; those that a network without normalization has here alone are
    zero. Raises WeightsError for a discriminator, for a generator without skips, or where there is neither.
    """
    first = state.get("model.model.0.weight")
    if first is None:
        if any(".conv_block." in key for key in state):
            raise WeightsError("the file holds a ResNet generator; inpaint-gan supports only the U-Net")
        if "model.0.weight" in state:
            raise _needless("discriminator")
        raise WeightsError("no key of the file belongs to this converter")
    channels, depth, norm = len(first), _levels(state), _norm(state)
    here = dict(state)
    if first.shape[1:] == (3, 4, 4):
        here["model.model.0.weight"] = F.pad(first, (0, 0, 0, 0, 0, 1))
    with torch.device("meta"):
        known = UNetGenerator(channels, depth, norm).state_dict()
    if norm == "instance":
        for key in _biases_without_effect(here, known):
            del here[key]
    if norm == "none":
        here |= {key: torch.zeros_like(known[key], device="cpu") for key in _biases_not_there(here, known)}
    settings = {"generator": "unet", "start": "gray", "channels": channels, "depth": depth, "norm": norm}
    return settings, {f"generator.{key}": tensor for key, tensor in here.items()}


def _levels(state: State) -> int:
    """How often the image is halved: levels stand in each other as ``model.3``, in the outermost as ``model.1``."""
    return 2 + max(len(re.findall(r"\.3(?=\.model\.)", key)) for key in state)


def _norm(state: State) -> Norm:
    """Batch normalization has weights; beside instance normalization the convolutions have biases."""
    if "model.model.1.model.2.weight" in state or "model.model.1.model.4.weight" in state:
        return "batch"
    return "instance" if "model.model.0.bias" in state else "none"


def _biases_without_effect(state: State, known: State) -> list[str]:
    """Biases of layers that are known here, but without one."""
    biases = [key for key in state if key.endswith(".bias") and key not in known]
    return [key for key in biases if f"{key.removesuffix('bias')}weight" in known]


def _biases_not_there(state: State, known: State) -> list[str]:
    """Biases that are known here and missing, but for that of the last layer, which every published network has."""
    return [key for key in known if key.endswith(".bias") and key not in state and key != "model.model.3.bias"]


def _needless(network: str) -> WeightsError:
    return WeightsError(f"the file holds a {network}; inpaint-gan's weights files contain only the generator")


CONVERTERS = {
    "daa233": Converter("DeepFill v1 of daa233/generative-inpainting-pytorch", daa233),
    "pix2pix": Converter("U-Net of junyanz/pytorch-CycleGAN-and-pix2pix", pix2pix),
}
"""What ``restore import --task inpaint-gan --from`` accepts."""
