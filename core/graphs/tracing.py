"""Trace networks: the operations that they do, as a graph for images of any size."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from restore.core.errors import NotExportable
from restore.core.inference.predictor import Predictor
from restore.core.networks import Networks
from restore.core.seeding import seeded

Arguments = tuple[Tensor, ...]
"""What a network is called with."""

LEAST = 48
"""Height in pixels of the image that is traced, rounded up to what the network needs."""
STEP = 8
"""By how much the sides of the other images differ from it, in pixels, rounded up likewise."""


@runtime_checkable
class Simplifiable(Protocol):
    """A layer that computes in a way of its own, which only pays off in torch."""

    def simplify(self) -> nn.Module:
        """Return an ordinary layer that computes the same."""


def simplify_layers(network: nn.Module) -> nn.Module:
    """Replace layers that compute in a way of their own by ordinary ones, in place; return the network."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Simplifiable):
                parent.register_module(name, child.simplify())
    return network


class WholeMethod(nn.Module):
    """What a method computes, as one module: its main output from its inputs, in their order."""

    def __init__(self, method: Predictor, networks: Networks) -> None:
        super().__init__()
        self._method = method
        self._inputs = tuple(method.inputs)
        self.networks = nn.ModuleDict({name.replace(".", "_"): network for name, network in networks.items()})
        self._names = tuple(networks)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the main output (1, C, H, W)."""
        networks = Networks(dict(zip(self._names, self.networks.values(), strict=True)))
        return self._method.export_forward(dict(zip(self._inputs, inputs, strict=True)), networks)


class CalledNetwork(nn.Module):
    """A network with the outputs of a graph: a tuple of tensors."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Arguments:
        """Return the outputs."""
        return as_outputs(self.network(*inputs))


def shorten(error: Exception) -> str:
    """Return the kind of an error of another program, and the first sentence of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    return f"{type(error).__name__}: {lines[0].partition('. ')[0][:200]}"


def as_outputs(output: Any) -> Arguments:
    """Return what a network returned as a tuple of tensors. Raises NotExportable if it is something else."""
    found = (output,) if isinstance(output, Tensor) else output
    if type(found) in (tuple, list) and found and all(isinstance(each, Tensor) for each in found):
        return tuple(found)
    raise NotExportable(f"its network returns {type(output).__name__}, and a graph only tensors")


def list_sizes(multiple_of: int) -> list[tuple[int, int]]:
    """Return four heights and widths: of the image that is traced, and of three others to compare with.

    No side of the first is that of another one at the same place, and the last one is odd where it may be.
    """
    side, more = max(2, math.ceil(LEAST / multiple_of)), math.ceil(STEP / multiple_of)
    counts = [(side, side + more), (side + 2 * more, side + 3 * more), (side + 3 * more, side - 1)]
    counts.append((2 * side + 1, side + 3 * more + 1))
    return [(height * multiple_of, width * multiple_of) for height, width in counts]


def draw_inputs(method: Predictor, size: tuple[int, int]) -> Arguments:
    """Draw one input of a method of each kind, (1, C, H, W): noise, and a mask with a hole for what is not smooth."""
    with seeded(0):
        drawn = []
        for spec in method.inputs.values():
            height, width = (round(side * spec.scale) for side in size)
            values = torch.rand(1, spec.channels, height, width)
            if not spec.smooth:
                values = torch.zeros_like(values)
                values[..., height // 4 : height // 2, width // 4 : width // 2] = 1
            drawn.append(spec.low + values * (spec.high - spec.low))
    return tuple(drawn)


def trace(module: nn.Module, first: Arguments, second: Arguments, step: int, sizes: Sequence[int]) -> ExportedProgram:
    """Return the graph of a module for images of any size.

    Args:
        module: the module, in evaluation mode.
        first: what is traced.
        second: the same for an image of another size: sides that differ may be any number of pixels.
        step: the number that the sides of images must be multiples of.
        sizes: height and width of the image that is traced; other sides that differ depend on the network.

    Raises:
        NotExportable: the module does other operations for another size, or some that no graph has.
    """
    dimensions: dict[tuple[int, int], Any] = {}
    shapes = tuple(_dimensions(one, other, step, sizes, dimensions) for one, other in zip(first, second, strict=True))
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # about what the exporter does to itself
            return torch.export.export(module, first, dynamic_shapes=(shapes,), strict=False)
    except NotExportable:
        raise
    except Exception as error:
        if "Constraints violated" in str(error):
            raise NotExportable(
                "its network does something else for each size of an image, which no graph can"
            ) from error
        raise NotExportable(
            f"torch cannot write its network as a graph for images of any size: {shorten(error)}"
        ) from error


def _dimensions(
    one: Tensor, other: Tensor, step: int, sizes: Sequence[int], known: dict[tuple[int, int], Any]
) -> dict[int, Any]:
    """Return the dimensions of a tensor that may be of any length; equal ones are the same dimension."""
    found = {}
    for place, pair in enumerate(zip(one.shape, other.shape, strict=True)):
        if pair[0] == pair[1]:
            continue
        if pair not in known:
            of_image = pair[0] in sizes and step > 1
            name = f"side{len(known)}"
            known[pair] = step * Dim(f"{name}_parts") if of_image else Dim(name)
        found[place] = known[pair]
    return found
