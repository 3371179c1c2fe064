"""Converters of published checkpoints: renamed parameters and the model settings that fit them."""

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
    """Return settings and renamed state of a generator of daa233/generative-inpainting-pytorch (MIT, commit c6cdaea0).

    Contextual attention is computed as in that code, except that each sample has its own mask. Raises WeightsError for
    a discriminator, or if no key belongs to such a generator.
    """
    if any(key.startswith("dis_conv_module.") for key in state):
        raise _needless("discriminator")
    first = [key for key in state if key.endswith("_generator.conv1.conv.weight")]
    if not first:
        raise WeightsError("no key of the file belongs to this converter")
    settings = {
        "architecture": "inpaint_gan/coarse-to-fine",
        "channels": len(state[first[0]]),
        "attention": {"published": True},
    }
    return settings, {f"generator.{key}": tensor for key, tensor in state.items()}


def pix2pix(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return settings and renamed state of a U-Net of junyanz/pytorch-CycleGAN-and-pix2pix (BSD, commit 78913853).

    A network without a mask input gets zero weights for it, so its output stays the same. Biases without effect, before
    instance normalization, are dropped. Biases that only exist here, in networks without normalization, become zero.
    Raises WeightsError for a discriminator, for a generator without skip connections, or if no key belongs to either.
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
    settings = {
        "architecture": "inpaint_gan/unet-generator",
        "start": "gray",
        "channels": channels,
        "depth": depth,
        "norm": norm,
    }
    return settings, {f"generator.{key}": tensor for key, tensor in here.items()}


def _levels(state: State) -> int:
    """Return the number of halvings: levels are nested as ``model.3``, in the outermost as ``model.1``."""
    return 2 + max(len(re.findall(r"\.3(?=\.model\.)", key)) for key in state)


def _norm(state: State) -> Norm:
    """Return the normalization: batch norm has weights; beside instance norm, convolutions have biases."""
    if "model.model.1.model.2.weight" in state or "model.model.1.model.4.weight" in state:
        return "batch"
    return "instance" if "model.model.0.bias" in state else "none"


def _biases_without_effect(state: State, known: State) -> list[str]:
    """Return the biases of layers that have none here."""
    biases = [key for key in state if key.endswith(".bias") and key not in known]
    return [key for key in biases if f"{key.removesuffix('bias')}weight" in known]


def _biases_not_there(state: State, known: State) -> list[str]:
    """Return the missing biases, except that of the last layer, which all published networks have."""
    return [key for key in known if key.endswith(".bias") and key not in state and key != "model.model.3.bias"]


def _needless(network: str) -> WeightsError:
    return WeightsError(f"the file holds a {network}; inpaint-gan's weights files contain only the generator")


CONVERTERS = {
    "daa233": Converter("DeepFill v1 of daa233/generative-inpainting-pytorch", daa233),
    "pix2pix": Converter("U-Net of junyanz/pytorch-CycleGAN-and-pix2pix", pix2pix),
}
"""What ``restore import --task inpaint-gan --from`` accepts."""
