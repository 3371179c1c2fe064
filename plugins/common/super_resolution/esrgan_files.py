"""Published files of RRDBNet and SRVGGNetCompact: renamed parameters and the model settings that fit them.

Two families take them: ``srgan`` those that upscale, ``restorer`` those of scale 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from restore.core.errors import WeightsError

State = Mapping[str, Tensor]
RRDBNET, SRVGGNET = "srgan/rrdbnet", "srgan/srvggnet-compact"
"""The architectures."""

ESRGAN = (
    (r"RRDB_trunk\.(\d+)\.RDB(\d)\.(conv\d)", r"body.\1.rdb\2.\3"),
    (r"trunk_conv", "conv_body"),
    (r"upconv(\d)", r"conv_up\1"),
    (r"HRconv", "conv_hr"),
)
"""Names of the files of ESRGAN (``RRDB_ESRGAN_x4.pth``) and BSRGAN, where they differ from BasicSR's."""

NUMBERED = (
    (r"model\.0", "conv_first"),
    (r"model\.1\.sub\.(\d+)\.RDB(\d)\.(conv\d)\.0", r"body.\1.rdb\2.\3"),
    (r"model\.1\.sub\.\d+", "conv_body"),
)
"""Names of ESRGAN's first files (``RRDB_ESRGAN_x4_old_arch.pth``), in which layers are numbered; the layers after the
body follow in the order of their numbers."""

_OWN = re.compile(r"conv_(first|body|hr|last|up\d)|body\.\d+\.rdb[123]\.conv[1-5]")


def rrdbnet(state: State, network: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of an RRDBNet of BasicSR, ESRGAN or Real-ESRGAN.

    Whether a file with one upscaling upscales by 2 or 3 shows in no tensor; it is taken for 2.

    Args:
        state: the state.
        network: name of the network in the weights file.

    Raises:
        WeightsError: no layer is known.
    """
    here = _rename_keys(state)
    weights = {layer: tensor for key, tensor in here.items() if (layer := key.removesuffix(".weight")) != key}
    if not any(re.fullmatch(r"body\.\d+\.rdb1\.conv1", layer) for layer in weights) or "conv_first" not in weights:
        raise WeightsError("no dense block of an RRDBNet is in the file")
    settings: dict[str, Any] = {"architecture": RRDBNET, "channels": len(weights["conv_first"])}
    settings["blocks"] = 1 + max(int(match[1]) for layer in weights if (match := re.match(r"body\.(\d+)\.", layer)))
    growing = next(layer for layer in weights if layer.endswith("rdb1.conv1"))
    settings["growth"] = len(weights[growing])
    shuffled = math.isqrt(weights["conv_first"].shape[1] // 3)
    ups = sum(layer.startswith("conv_up") for layer in weights)
    settings["scale"] = max(1, 2**ups // max(1, shuffled))
    if settings["scale"] < 4:
        settings["unshuffle"] = shuffled > 1
    return settings, _of_network(here, network)


def srvggnet(state: State, network: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and state of an SRVGGNetCompact of Real-ESRGAN.

    Files without slopes of PReLU are taken to have ReLU; whether it is leaky shows in no tensor.

    Args:
        state: the state.
        network: name of the network in the weights file.

    Raises:
        WeightsError: the file is no plain chain of convolutions.
    """
    numbered = {int(match[1]): tensor for key, tensor in state.items() if (match := _LAYER.fullmatch(key))}
    convolutions = sorted(place for place, tensor in numbered.items() if tensor.dim() == 4)
    if len(convolutions) < 2 or convolutions != list(range(0, 2 * len(convolutions), 2)):
        raise WeightsError("the file is no chain of convolutions body.0, body.2, body.4, …")
    last = numbered[convolutions[-1]]
    settings = {
        "architecture": SRVGGNET,
        "channels": len(numbered[0]),
        "convolutions": len(convolutions) - 2,
        "activation": "prelu" if 1 in numbered else "relu",
        "scale": math.isqrt(len(last) // 3),
    }
    return settings, _of_network(state, network)


def of_scale_one(converted: tuple[dict[str, Any], dict[str, Tensor]]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return a conversion without its scale, for a task that does not upscale. Raises WeightsError unless it is 1."""
    settings, state = converted
    if settings["scale"] != 1:
        raise WeightsError(f"the file upscales by {settings['scale']}; import it with --task srgan")
    return {name: value for name, value in settings.items() if name != "scale"}, state


_LAYER = re.compile(r"body\.(\d+)\.weight")


def _rename_keys(state: State) -> dict[str, Tensor]:
    """Return the state with BasicSR's names; keys that no rule knows stay."""
    after = sorted({int(match[1]) for key in state if (match := re.match(r"model\.(\d+)\.", key))} - {0, 1})
    names = [*(f"conv_up{number}" for number in range(1, len(after) - 1)), "conv_hr", "conv_last"]
    numbered = [(rf"model\.{place}", name) for place, name in zip(after, names, strict=False)]
    rules = [*ESRGAN, *NUMBERED, *numbered]
    return {_rename(key, rules): tensor for key, tensor in state.items()}


def _rename(key: str, rules: Sequence[tuple[str, str]]) -> str:
    layer, _, parameter = key.rpartition(".")
    for pattern, name in rules:
        if match := re.fullmatch(pattern, layer):
            return f"{match.expand(name)}.{parameter}"
    return key


def _of_network(state: State, network: str) -> dict[str, Tensor]:
    """Return the state with the name of the network before each key that is a parameter of one of the two."""
    known = {key for key in state if _OWN.fullmatch(key.rpartition(".")[0]) or re.fullmatch(r"body\.\d+\.\w+", key)}
    return {f"{network}.{key}" if key in known else key: tensor for key, tensor in state.items()}
