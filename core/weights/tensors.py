"""Name, compare and load the tensors of networks, and write them with the errors of the operating system."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from restore.core.errors import RestoreError, WeightsError

_LISTED = 60  # lines of differences


def named_tensors(networks: Mapping[str, nn.Module | Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return every tensor of networks, or of their states, keyed ``<network>.<key>``."""
    states = {name: n.state_dict() if isinstance(n, nn.Module) else n for name, n in networks.items()}
    return {f"{name}.{key}": tensor for name, state in states.items() for key, tensor in state.items()}


def tensors_of(network: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of one network among those of `named_tensors`, by their own keys."""
    prefix = f"{network}."
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def load_exactly(
    networks: Mapping[str, nn.Module],
    tensors: Mapping[str, Tensor],
    source: str,
    error: type[RestoreError] = WeightsError,
) -> None:
    """Load the tensors of `named_tensors` into networks.

    Raises ``error``, which names their source and the keys that do not fit.
    """
    refuse_differences(source, differences(networks, tensors), error)
    own = named_tensors(networks)
    if lost := [name for name, tensor in tensors.items() if tensor.is_complex() and not own[name].is_complex()]:
        raise error(f"{source}: {lost[0]} has complex numbers, of which its network would drop a half")
    for name, network in networks.items():
        network.load_state_dict(tensors_of(name, tensors))


def refuse_differences(source: str, wrong: Sequence[str], error: type[RestoreError] = WeightsError) -> None:
    """Raise ``error`` with the lines of `differences`, if there are any; of very many it lists the first."""
    if wrong:
        more = [f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        lines = "\n".join(f"    {line}" for line in [*wrong[:_LISTED], *more])
        raise error(f"{source}: does not fit the networks of its task:\n{lines}")


def refuse_nan(source: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raise WeightsError for tensors that contain NaN: every result would be NaN."""
    spoiled = [name for name, tensor in tensors.items() if tensor.is_floating_point() and _has_nan(tensor)]
    if spoiled:
        more = f" and {len(spoiled) - 1} more" if len(spoiled) > 1 else ""
        raise WeightsError(
            f"{source}: contains NaN (not a number) in {spoiled[0]}{more}, so it cannot be used; the training that "
            "made it diverged: take weights from before, or train again with a lower learning rate"
        )


def _has_nan(tensor: Tensor) -> bool:
    small = tensor.element_size() == 1  # of which torch cannot tell
    return bool((tensor.float() if small else tensor).isnan().any())


def differences(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]) -> list[str]:
    """Return one line for each missing, unexpected or misshapen key."""
    return compare_shapes(shapes_of(named_tensors(networks)), shapes_of(tensors))


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor."""
    return {key: tuple(tensor.shape) for key, tensor in tensors.items()}


def compare_shapes(expected: Mapping[str, tuple[int, ...]], given: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Return one line for each missing, unexpected or misshapen key among shapes."""
    lines = [f"missing: {key} {shape}" for key, shape in expected.items() if key not in given]
    lines += [f"unexpected: {key} {shape}" for key, shape in given.items() if key not in expected]
    lines += [
        f"misshapen: {key} is {given[key]}, not {shape}"
        for key, shape in expected.items()
        if given.get(key, shape) != shape
    ]
    return lines


def storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as the format requires them: contiguous, on the CPU, without shared memory."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors from `storable`, with text entries for the header. Others may read the file as the umask says.

    Raises:
        OSError: the system refused, for example because the disk is full.
    """
    path.touch()
    mode = path.stat().st_mode
    try:
        save_file(dict(tensors), path, metadata=metadata)  # which replaces it by a file for the owner alone
        with suppress(OSError):  # some file systems have no modes
            path.chmod(mode)
    except SafetensorError as error:
        # the library wraps the system's error in its own message
        if found := re.search(r"(?:os error|code:) (\d+)", str(error)):  # the second until safetensors 0.6
            number = int(found[1])
            raise OSError(number, os.strerror(number), str(path)) from error
        raise


def digest_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, types, shapes and values, ordered by name."""
    digest = hashlib.sha256()
    for key in sorted(tensors):
        tensor = tensors[key]
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        # numpy has no bfloat16, so hash the bytes
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
