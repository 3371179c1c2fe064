"""Converters of published checkpoints: renamed parameters and the model settings that fit them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from restore.core.errors import WeightsError
from restore.core.weights.convert import Converter
from restore.plugins.common.super_resolution import esrgan_files
from restore.plugins.srgan.layer_names import (
    ARTICLE,
    BASICSR,
    DISCRIMINATOR,
    LEFTTHOMAS,
    LORNATANG,
    SGRVINOD,
    TWTYGQYY,
    Rules,
)

State = Mapping[str, Tensor]


def article(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of a generator from the article's listing."""
    return _generator(state, ARTICLE, architecture="srgan/srresnet")


def lornatang(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an SRResNet of SRGAN-PyTorch, which clamps its output."""
    return _generator(state, LORNATANG, architecture="srgan/srresnet", clamp=True)


def basicsr(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an MSRResNet of BasicSR or MMagic.

    Raises WeightsError for the network that its authors published before, which computes something else.
    """
    if any(re.fullmatch(r"model\.1\.sub\.\d+\.res\.\d+\.weight", key) for key in state):
        raise WeightsError(
            "the file holds the earlier SRResNet of ESRGAN's authors (SRGAN_bicx4_303_505.pth): it has a convolution "
            "and a sum after its blocks and no bilinear base, so it is no MSRResNet, and srgan does not have it"
        )
    return _generator(state, BASICSR, architecture="srgan/msrresnet")


def rrdbnet(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an RRDBNet of BasicSR, ESRGAN or Real-ESRGAN."""
    _refuse_discriminator(state)
    return esrgan_files.rrdbnet(state, "generator")


def srvggnet(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and state of an SRVGGNetCompact of Real-ESRGAN."""
    _refuse_discriminator(state)
    return esrgan_files.srvggnet(state, "generator")


def sgrvinod(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an SRResNet or SRGAN of sgrvinod's tutorial.

    It takes images normalized by ImageNet's statistics and ends with a tanh; both become settings. A bias before batch
    normalization moves into its mean.
    """
    plain = {key.removeprefix("net."): tensor for key, tensor in state.items()}
    model, here = _generator(plain, SGRVINOD, architecture="srgan/srresnet", normalize=True, tanh=True)
    return model, _fold_biases_before_norm(here)


def leftthomas(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of a generator of leftthomas/SRGAN, which ends with (tanh + 1) / 2.

    Raises WeightsError for its first version, a chain of five convolutions.
    """
    if {"conv1.weight", "conv5.weight", "prelu.weight"} <= state.keys():
        raise WeightsError("the file holds the first network of leftthomas/SRGAN (five convolutions): no SRResNet")
    model, here = _generator(state, LEFTTHOMAS, architecture="srgan/srresnet", tanh=True)
    return model, _fold_biases_before_norm(here)


def twtygqyy(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an SRResNet of twtygqyy/pytorch-SRResNet.

    Its LeakyReLU becomes a PReLU of the same slope, and biases that it lacks become zero.
    """
    model, here = _generator(state, TWTYGQYY, architecture="srgan/srresnet")
    stages = [f"generator.upscale.{stage}" for stage in range(_count(here, "upscale"))]
    bodies = [f"generator.body.{block}" for block in range(model.get("blocks", 0))]
    for layer in ("generator.first", "generator.last", *(f"{stage}.conv" for stage in stages)):
        if (weight := here.get(f"{layer}.weight")) is not None:
            here.setdefault(f"{layer}.bias", weight.new_zeros(len(weight)))
    for layer in ("generator", *bodies, *stages):
        here[f"{layer}.activation.weight"] = torch.full((1,), 0.2)
    return model, here


def discriminator(state: State) -> dict[str, Tensor]:
    """Return the renamed state of a discriminator of the article or SRGAN-PyTorch, as `Discriminator` has it."""
    return rename_keys(state, DISCRIMINATOR, "discriminator")


def rename_keys(state: State, rules: Rules, network: str) -> dict[str, Tensor]:
    """Return the state with keys ``<network>.<layer>.<parameter>``; keys that match no rule stay unchanged."""
    return {_rename_key(key, rules, network): tensor for key, tensor in state.items()}


def _rename_key(key: str, rules: Rules, network: str) -> str:
    layer, _, parameter = key.rpartition(".")
    for pattern, name in rules:
        if match := re.fullmatch(pattern, layer):
            return f"{network}.{match.expand(name)}.{parameter}"
    return key


def _generator(state: State, rules: Rules, **settings: Any) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Rename the state by ``rules`` and derive scale, width and depth from tensor shapes, as far as they are there.

    Raises WeightsError if no layer is known, or if the state is a discriminator.
    """
    _refuse_discriminator(state)
    here = rename_keys(state, rules, "generator")
    if not here.keys() - state.keys():
        raise WeightsError("no key of the file belongs to this converter")
    if (first := here.get("generator.first.weight")) is not None:
        settings["channels"] = len(first)
    if blocks := _count(here, "body"):
        settings["blocks"] = blocks
    if count := _count(here, "upscale"):
        weights = [here.get(f"generator.upscale.{stage}.conv.weight") for stage in range(count)]
        settings["scale"] = math.prod(
            2 if weight is None else math.isqrt(len(weight) // weight.shape[1]) for weight in weights
        )
    return settings, here


def _refuse_discriminator(state: State) -> None:
    """Raise WeightsError for SRGAN's discriminator, and for the one of Real-ESRGAN with spectral normalization."""
    if state and (discriminator(state).keys().isdisjoint(state) or "conv1.weight_orig" in state):
        raise WeightsError("the file holds a discriminator; srgan's weights files contain only the generator")


def _fold_biases_before_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Move the bias of each convolution before a batch normalization into its running mean, which is the same."""
    here = dict(state)
    pairs = {"conv1": "norm1", "conv2": "norm2", "fusion": "norm"}
    for key, bias in state.items():
        layer, _, parameter = key.rpartition(".")
        before, _, name = layer.rpartition(".")
        mean = f"{before}.{pairs.get(name)}.running_mean"
        if parameter == "bias" and name in pairs and mean in here:
            here[mean] = here[mean] - bias
            del here[key]
    return here


def _count(state: State, part: str) -> int:
    """Return the number of members of a part of the generator, from the highest index in its keys."""
    found = [int(match[1]) for key in state if (match := re.match(rf"generator\.{part}\.(\d+)\.", key))]
    return max(found, default=-1) + 1


CONVERTERS = {
    "article": Converter("SRResNet as in the article's listing", article),
    "lornatang": Converter("SRResNet and SRGAN of Lornatang/SRGAN-PyTorch", lornatang),
    "rrdbnet": Converter("RRDBNet of BasicSR, ESRGAN and Real-ESRGAN", rrdbnet),
    "srvggnet-compact": Converter("SRVGGNetCompact of Real-ESRGAN", srvggnet),
    "basicsr": Converter("MSRResNet and MSRGAN of XPixelGroup/BasicSR and MMagic", basicsr),
    "sgrvinod": Converter("SRResNet and SRGAN of sgrvinod/a-PyTorch-Tutorial-to-Super-Resolution", sgrvinod),
    "leftthomas": Converter("Generator of leftthomas/SRGAN", leftthomas),
    "twtygqyy": Converter("SRResNet of twtygqyy/pytorch-SRResNet", twtygqyy),
}
"""What ``restore import --task srgan --from`` accepts."""
