"""Converter of published LBAM checkpoints: renamed parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from restore.core.errors import WeightsError
from restore.core.weights.convert import Converter

State = Mapping[str, Tensor]

_NUMBERS = {"a": "peak", "mu": "center", "sigma1": "rise", "sigma2": "fall"}

GENERATOR = (
    (r"ec(\d)\.conv\.conv\.weight", "encoder.{}.features.weight"),
    (r"ec(\d)\.conv\.maskConv\.weight", "encoder.{}.attention.mask.weight"),
    *(
        (rf"ec(\d)\.conv\.activationFuncG_A\.{theirs}", f"encoder.{{}}.attention.activation.{ours}")
        for theirs, ours in _NUMBERS.items()
    ),
    (r"reverseConv(\d)\.reverseMaskConv\.weight", "reverse.{}.mask.weight"),
    *(
        (rf"reverseConv(\d)\.activationFuncG_A\.{theirs}", f"reverse.{{}}.activation.{ours}")
        for theirs, ours in _NUMBERS.items()
    ),
    (r"dc(\d)\.conv\.weight", "decoder.{}.weight"),
    (r"dc7\.weight", "last.weight"),
)
"""Patterns of names in the generator of Vious/LBAM_Pytorch, which counts layers from one, and the names here."""

_COLUMNS = {"globalConv": "known", "localConv": "hole"}
_FUSION = "fusionLayer.0"


def generator(state: State) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return model settings and renamed state of a generator; its width comes from the first layer.

    Raises WeightsError if the state is a discriminator, or if no key belongs to this converter.
    """
    plain = {key.removeprefix("module."): tensor for key, tensor in state.items()}
    if any(key.startswith(tuple(_COLUMNS)) for key in plain):
        raise WeightsError("the file holds a discriminator; lbam's weights files contain only the generator")
    here = {_rename(key): tensor for key, tensor in plain.items()}
    if not any(key.startswith("generator.") for key in here):
        raise WeightsError("no key of the file belongs to this converter")
    first = here.get("generator.encoder.0.features.weight")
    settings: dict[str, Any] = {"architecture": "lbam/generator", "prefill": "none"}
    if first is not None:
        settings["channels"] = len(first)
    return settings, here


def discriminator(state: State) -> dict[str, Tensor]:
    """Return the renamed state of the published discriminator, for ``Discriminator(published=True)``."""
    return {_rename_column(key): tensor for key, tensor in state.items()}


def _rename(key: str) -> str:
    for pattern, name in GENERATOR:
        if match := re.fullmatch(pattern, key):
            return "generator." + name.format(*(int(number) - 1 for number in match.groups()))
    return key


def _rename_column(key: str) -> str:
    column, _, rest = key.partition(".")
    if column in _COLUMNS:
        return f"{_COLUMNS[column]}.{rest}"
    return key.replace(_FUSION, "score")


CONVERTERS = {
    "lbam-pytorch": Converter("Generator of Vious/LBAM_Pytorch.", generator),
}
"""What ``restore import --task lbam --from`` accepts."""
