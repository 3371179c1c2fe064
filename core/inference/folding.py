"""Fold batch normalization into the preceding convolution, which saves its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALIZATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def fold_batch_norm(networks: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Return copies of networks, in evaluation mode, with batch normalization folded into convolutions where possible.

    The networks themselves are unchanged. A convolution and a normalization form a pair if they follow one another in
    an ``nn.Sequential``, or if a block declares them in a class attribute: ``normalized_by = {"conv1": "norm1"}``.
    Other normalization layers, and layers that are used twice, are not folded. Outputs are equal within rounding.
    """
    return {name: _fold(network) for name, network in networks.items()}


def _fold(network: nn.Module) -> nn.Module:
    copy = deepcopy(network).eval()
    uses = [id(module) for _, module in copy.named_modules(remove_duplicate=False)]
    for module in copy.modules():
        for before, after in _pairs(module):
            convolution, norm = module.get_submodule(before), module.get_submodule(after)
            if not isinstance(convolution, CONVOLUTIONS) or not isinstance(norm, NORMALIZATIONS):
                continue
            plain = "weight" in dict(convolution.named_parameters(recurse=False))  # not a parametrization
            constant = norm.running_mean is not None
            if plain and constant and uses.count(id(convolution)) == uses.count(id(norm)) == 1:
                module.register_module(before, fuse_conv_bn_eval(convolution, norm))
                module.register_module(after, nn.Identity())
    return copy


def _pairs(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Yield pairs of child names; the second child is the only one applied to the output of the first."""
    if isinstance(module, nn.Sequential):
        yield from pairwise(name for name, _ in module.named_modules(remove_duplicate=False) if name.isdigit())
    yield from getattr(module, "normalized_by", {}).items()
