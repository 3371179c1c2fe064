"""Make a weights file to pass on: smaller, with a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from restore.core.errors import WeightsError
from restore.core.weights.files import read_tensors, save_weights
from restore.core.weights.header import read_header
from restore.core.weights.tensors import tensors_of


def pack_weights(source: Path, output: Path, card: Mapping[str, str], *, half: bool = True) -> Path:
    """Write a weights file again, with a card and by default in half precision, and return its path.

    Networks compute in single precision whatever the file holds. Half precision rounds each weight by at most 1/2048
    of its value.

    Args:
        source: the weights file.
        output: the file to write.
        card: what the weights are for, what they were trained on, their license: any names with their texts.
        half: store floating-point tensors as float16.

    Raises:
        WeightsError: the source is damaged, or a weight is too large for float16 or not finite.
        RestoreError: the file cannot be written.
    """
    header = read_header(source)
    tensors = read_tensors(source, header)
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{source}: {name} contains NaN or infinite values")
        if half and tensor.is_floating_point():
            tensors[name] = _halve(source, name, tensor)
    names = dict.fromkeys(name.partition(".")[0] for name in tensors)
    return save_weights(
        output,
        task=header.task,
        model=header.model,
        networks={name: tensors_of(name, tensors) for name in names},
        phase=header.phase,
        numbers=header.numbers,
        versions=header.versions,
        plugins=header.plugins,
        card={**header.card, **card},
    )


def _halve(source: Path, name: str, tensor: Tensor) -> Tensor:
    halved = tensor.half()
    if not torch.isfinite(halved).all():
        raise WeightsError(
            f"{source}: {name} has values above 65504, too large for half precision; use --precision fp32"
        )
    return halved
