"""Build the networks of weights only after their sizes were compared with the file: a small file may ask for any size.

Settings in a header, or names and shapes in a checkpoint, decide how large networks become. They are therefore built
without memory first, on torch's meta device, and building stops as soon as they have many more parts than the file has
tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from restore.core.errors import RestoreError, WeightsError, is_out_of_memory
from restore.core.weights.tensors import named_tensors, shapes_of

Shape = tuple[int, ...]
Build = Callable[[], Mapping[str, nn.Module]]

_AT_LEAST = 2000  # parts that any file may ask for
_FOR_EACH = 30  # parts for each tensor in the file: modules without parameters, and those that share some


class TooManyParts(WeightsError):
    """Networks have many more parts than their file."""


def build_shapes(build: Build, tensors: int) -> dict[str, Shape] | None:
    """Return the shape of every tensor of networks, keyed ``<network>.<key>``, without memory for them.

    Args:
        build: builds the networks.
        tensors: number of tensors in the file that they are for.

    Returns None if networks cannot be built without memory: `build_networks` then says what is wrong, if anything is.
    Raises TooManyParts, and LookupError of ``build``.
    """
    try:
        with torch.device("meta"), _limit(tensors):
            return shapes_of(named_tensors(build()))
    except (TooManyParts, LookupError):
        raise
    except Exception:  # noqa: BLE001 - such as values computed from parameters, and libraries that need real tensors
        return None


def build_networks(build: Build, tensors: int) -> dict[str, nn.Module]:
    """Return networks with memory for their tensors; arguments as `build_shapes`.

    Raises TooManyParts, what ``build`` raises for its user, and WeightsError for anything else that ``build`` raises:
    settings from a file may fit their types and make no network.
    """
    try:
        with _limit(tensors):
            return dict(build())
    except (RestoreError, LookupError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise WeightsError(f"its networks need more memory than there is: {error}") from error
        line = next(iter(str(error).splitlines()), "")
        raise WeightsError(f"no networks can be built with its settings: {type(error).__name__}: {line}") from error


def count_bytes(shapes: Mapping[str, Shape]) -> int:
    """Return how much memory float32 tensors of these shapes take."""
    return sum(4 * torch.Size(shape).numel() for shape in shapes.values())


@contextmanager
def _limit(tensors: int) -> Iterator[None]:
    """Raise TooManyParts in the block when modules with too many parts are built."""
    most, count = _AT_LEAST + _FOR_EACH * tensors, 0

    def check(_: nn.Module, __: str, ___: Tensor | nn.Module | None) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise TooManyParts(f"its settings ask for networks of more than {most} parts, but it has {tensors} tensors")

    handles = [
        hooks.register_module_parameter_registration_hook(check),
        hooks.register_module_buffer_registration_hook(check),
        hooks.register_module_module_registration_hook(check),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
