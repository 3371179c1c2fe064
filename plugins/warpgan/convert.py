"""Converter of checkpoints of the original WarpGAN.

TensorFlow checkpoints are not files of tensors. Where TensorFlow is installed, two lines convert one:

    reader = tf.train.load_checkpoint(FOLDER)
    safetensors.numpy.save_file({k: reader.get_tensor(k) for k in reader.get_variable_to_shape_map()}, FILE)

Names and layouts are accepted as TensorFlow has them, ``Encoder/StyleEncoder/conv0/weights`` with channels last, and as
PyTorch has them, ``Encoder.StyleEncoder.conv0.weight`` with channels first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from einops import rearrange
from torch import Tensor

from restore.core.errors import WeightsError
from restore.core.weights.convert import Converter
from restore.plugins.warpgan.networks.discriminator import KINDS

State = Mapping[str, Tensor]
Rules = Sequence[tuple[str, str]]
"""Pairs of a pattern for a whole layer name and its name here; the first match counts."""

_NORM = r"(?:Instance|Layer)Norm"

_PLACES = ("first", "second")

GENERATOR: Rules = (
    *((rf"Encoder\.StyleEncoder\.conv{layer}", f"style.convolutions.{2 * layer}") for layer in range(3)),
    (r"Encoder\.StyleEncoder\.fc1", "style.code"),
    (r"Encoder\.ContentEncoder\.conv(\d)", r"content.convolutions.\1.conv"),
    (rf"Encoder\.ContentEncoder\.conv(\d)\.{_NORM}", r"content.convolutions.\1.norm"),
    *((rf"Encoder\.ContentEncoder\.res(\d)_{n}", rf"content.blocks.\1.{p}.conv") for n, p in enumerate(_PLACES)),
    *(
        (rf"Encoder\.ContentEncoder\.res(\d)_{n}\.{_NORM}", rf"content.blocks.\1.{p}.norm")
        for n, p in enumerate(_PLACES)
    ),
    *((rf"Decoder\.StyleController\.fc{n + 2}", f"decoder.controller.hidden.{n}.linear") for n in range(2)),
    *((rf"Decoder\.StyleController\.fc{n + 2}\.{_NORM}", f"decoder.controller.hidden.{n}.norm") for n in range(2)),
    (r"Decoder\.StyleController\.fc4", "decoder.controller.scale"),
    (r"Decoder\.StyleController\.fc5", "decoder.controller.shift"),
    *((rf"Decoder\.Decoder\.res(\d)_{n}", rf"decoder.blocks.\1.{p}") for n, p in enumerate(_PLACES)),
    *((rf"Decoder\.Decoder\.deconv{n + 1}_1", f"decoder.upscale.{n}.conv") for n in range(2)),
    *((rf"Decoder\.Decoder\.deconv{n + 1}_1\.{_NORM}", f"decoder.upscale.{n}.norm") for n in range(2)),
    (r"Decoder\.Decoder\.conv_image", "decoder.last"),
    (r"Decoder\.WarpController\.fc1", "warp.hidden.linear"),
    (rf"Decoder\.WarpController\.fc1\.{_NORM}", "warp.hidden.norm"),
    (r"Decoder\.WarpController\.fc_ldmark", "warp.points"),
    (r"Decoder\.WarpController\.fc_diff", "warp.displacements"),
)
"""The generator of seasonSH/WarpGAN (MIT, commit 794e24d9)."""

DISCRIMINATOR: Rules = (
    *((rf"Discriminator\.conv{layer + 1}", f"convolutions.{layer}") for layer in range(5)),
    (r"Discriminator\.patch5_logits", "patches"),
    (r"Discriminator\.Bottleneck", "embedding"),
    (r"Discriminator\.Logits", "identities"),
)
"""The discriminator of the same code."""

RULES: Rules = (
    *((pattern, f"generator.{name}") for pattern, name in GENERATOR),
    *((pattern, f"discriminator.{name}") for pattern, name in DISCRIMINATOR),
)
"""The rules of both networks."""

_MEAN = "generator.warp.mean"
_LENGTHS = {
    "channels": "generator.content.convolutions.0.conv.weight",
    "style": "generator.style.code.weight",
}
"""Settings of the generator that equal the number of outputs of a layer."""

_DISCRIMINATOR_LENGTHS = {
    "channels": "discriminator.convolutions.0.weight",
    "embedding": "discriminator.embedding.weight",
}
"""Those of the discriminator."""

_PARAMETERS = {"weights": "weight", "biases": "bias", "gamma": "weight", "beta": "bias"}
_FLATTENED = {
    "Decoder.WarpController.fc1": "Encoder.ContentEncoder.res2_1",
    "Discriminator.Bottleneck": "Discriminator.conv5",
}
"""Linear layers on flattened features, and the layer that computes these features."""


def warpgan(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return settings and renamed state of a generator, and of the discriminator if the checkpoint has one.

    Raises WeightsError if there is no generator.
    """
    here = rename_keys(as_torch(state))
    if not any(key.startswith("generator.") for key in here):
        raise WeightsError("no variable of the file belongs to the generator of WarpGAN")
    settings: dict[str, Any] = {"architecture": "warpgan/warp-generator", "controller": "dense"}
    settings |= _lengths(here, _LENGTHS)
    if (hidden := here.get("generator.warp.hidden.linear.weight")) is not None and "channels" in settings:
        settings["size"] = 4 * math.isqrt(hidden.shape[1] // (4 * settings["channels"]))
    if (mean := here.get(_MEAN)) is not None:
        here[_MEAN] = mean.reshape(-1, 2)
        settings["points"] = len(here[_MEAN])
    if (identities := here.get("discriminator.identities.weight")) is not None:
        settings["identities"] = len(identities) // KINDS
        lengths = _lengths(here, _DISCRIMINATOR_LENGTHS)
        settings["discriminator"] = {"architecture": "warpgan/identity-discriminator", **lengths}
    return settings, here


def _lengths(state: State, layers: Mapping[str, str]) -> dict[str, Any]:
    """Return the number of outputs of the layers that the state has, by setting."""
    return {name: len(state[key]) for name, key in layers.items() if key in state}


def as_torch(state: State) -> dict[str, Tensor]:
    """Return TensorFlow variables under dotted names in torch's layout: channels first, outputs before inputs.

    Tensors whose names show that they have this layout stay unchanged.
    """
    dotted = {re.sub(r":\d+$", "", key).replace("/", "."): tensor for key, tensor in state.items()}
    return dict(_as_torch(key, tensor, dotted) for key, tensor in dotted.items())


def _as_torch(key: str, tensor: Tensor, state: State) -> tuple[str, Tensor]:
    layer, _, leaf = key.rpartition(".")
    if leaf == "weights" and tensor.dim() == 4:
        tensor = rearrange(tensor, "h w before after -> after before h w")
    elif leaf == "weights" and tensor.dim() == 2:
        before = state.get(f"{_FLATTENED.get(layer)}.weights")
        if before is None:
            tensor = tensor.T
        else:  # its inputs are ordered by position, then channel
            side = math.isqrt(len(tensor) // before.shape[-1])
            tensor = rearrange(tensor, "(h w c) after -> after (c h w)", h=side, w=side)
    return f"{layer}.{_PARAMETERS.get(leaf, leaf)}".lstrip("."), tensor.contiguous()


def rename_keys(state: State) -> dict[str, Tensor]:
    """Return the state with keys ``<network>.<layer>.<parameter>``; keys that match no rule stay unchanged."""
    return {_rename_key(key): tensor for key, tensor in state.items()}


def _rename_key(key: str) -> str:
    layer, _, parameter = key.rpartition(".")
    for pattern, name in RULES:
        if match := re.fullmatch(pattern, layer):
            return f"{match.expand(name)}.{parameter}"
    return _MEAN if key == "Decoder.WarpController.ldmark_mean" else key


CONVERTERS = {"warpgan": Converter("the original WarpGAN of seasonSH/WarpGAN", warpgan)}
"""What ``restore import --task warpgan --from`` accepts."""
