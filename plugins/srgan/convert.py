"""Converters of published checkpoints: renamed parameters and the model settings that fit them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from restore.core.errors import WeightsError
from restore.core.weights.convert import Converter
from restore.plugins.common.super_resolution import esrgan_files

State = Mapping[str, Tensor]
Rules = Sequence[tuple[str, str]]
"""Pairs of a pattern for a whole layer name and its name here; the first match counts."""

_BLOCK = ("conv1", "norm1", "activation", "conv2", "norm2")
_STAGES = range(3)
_UPSCALE = ("conv", "shuffle", "activation")

ARTICLE: Rules = (
    (r"convolutional_block1\.0", "first"),
    (r"convolutional_block1\.1", "activation"),
    *((rf"res_trunk\.(\d+)\.rc_block\.{place}", rf"body.\1.{name}") for place, name in enumerate(_BLOCK)),
    (r"convolutional_block2\.0", "fusion"),
    (r"convolutional_block2\.1", "norm"),
    *(
        (rf"upsampling\.{3 * stage + place}", f"upscale.{stage}.{name}")
        for stage in _STAGES
        for place, name in enumerate(_UPSCALE)
    ),
    (r"convolutional_block3", "last"),
)
"""SRResNet in the article's listing, which upscales in one list of layers."""

LORNATANG: Rules = (
    (r"conv1\.0", "first"),
    (r"conv1\.1", "activation"),
    *((rf"trunk\.(\d+)\.rcb\.{place}", rf"body.\1.{name}") for place, name in enumerate(_BLOCK)),
    (r"conv2\.0", "fusion"),
    (r"conv2\.1", "norm"),
    *((rf"upsampling\.(\d+)\.upsample_block\.{place}", rf"upscale.\1.{name}") for place, name in enumerate(_UPSCALE)),
    (r"conv3", "last"),
)
"""SRResNet of Lornatang/SRGAN-PyTorch (Apache-2.0, commit 8842030e)."""

BASICSR: Rules = (
    (r"conv_first", "first"),
    (r"body\.(\d+)\.(conv[12])", r"body.\1.\2"),
    *((rf"upconv{stage + 1}", f"upscale.{stage}.conv") for stage in _STAGES),
    (r"conv_hr", "detail"),
    (r"conv_last", "last"),
)
"""MSRResNet of XPixelGroup/BasicSR (Apache-2.0, commit 8d56e3a0)."""

DISCRIMINATOR: Rules = (
    (r"features\.0", "features.0.conv"),
    *((rf"features\.{3 * layer - 1}", f"features.{layer}.conv") for layer in range(1, 8)),
    *((rf"features\.{3 * layer}", f"features.{layer}.norm") for layer in range(1, 8)),
    (r"classifier\.0", "hidden"),
    (r"classifier\.2", "score"),
)
"""The discriminator; the article and SRGAN-PyTorch use the same names."""


def article(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of a generator from the article's listing."""
    return _generator(state, ARTICLE, architecture="srgan/srresnet")


def lornatang(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an SRResNet of SRGAN-PyTorch, which clamps its output."""
    return _generator(state, LORNATANG, architecture="srgan/srresnet", clamp=True)


def basicsr(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an MSRResNet of BasicSR."""
    return _generator(state, BASICSR, architecture="srgan/msrresnet")


def rrdbnet(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an RRDBNet of BasicSR, ESRGAN or Real-ESRGAN."""
    _refuse_discriminator(state)
    return esrgan_files.rrdbnet(state, "generator")


def srvggnet(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and state of an SRVGGNetCompact of Real-ESRGAN."""
    _refuse_discriminator(state)
    return esrgan_files.srvggnet(state, "generator")


def discriminator(state: State) -> dict[str, Tensor]:
    """Return the renamed state of a discriminator of the article or SRGAN-PyTorch, as `Discriminator` has it."""
    return renamed(state, DISCRIMINATOR, "discriminator")


def renamed(state: State, rules: Rules, network: str) -> dict[str, Tensor]:
    """Return the state with keys ``<network>.<layer>.<parameter>``; keys that match no rule stay unchanged."""
    return {_renamed(key, rules, network): tensor for key, tensor in state.items()}


def _renamed(key: str, rules: Rules, network: str) -> str:
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
    here = renamed(state, rules, "generator")
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


def _count(state: State, part: str) -> int:
    """Return the number of members of a part of the generator, from the highest index in its keys."""
    found = [int(match[1]) for key in state if (match := re.match(rf"generator\.{part}\.(\d+)\.", key))]
    return max(found, default=-1) + 1


CONVERTERS = {
    "article": Converter("SRResNet as in the article's listing", article),
    "lornatang": Converter("SRResNet and SRGAN of Lornatang/SRGAN-PyTorch", lornatang),
    "basicsr": Converter("MSRResNet and MSRGAN of XPixelGroup/BasicSR", basicsr),
    "rrdbnet": Converter("RRDBNet of BasicSR, ESRGAN and Real-ESRGAN", rrdbnet),
    "srvggnet-compact": Converter("SRVGGNetCompact of Real-ESRGAN", srvggnet),
}
"""What ``restore import --task srgan --from`` accepts."""
