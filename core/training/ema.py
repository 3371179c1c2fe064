"""Exponential moving averages of weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn

STATISTICS = ("running_mean", "running_var")
"""Buffers of normalization layers that describe what their weights make of an image."""


class EMA:
    """Moving averages of some networks; evaluation, samples and exported weights use them.

    Early updates weigh more, ``min(decay, (1 + n) / (10 + n))`` after n updates, so that the average forgets the
    untrained weights that it starts from. The statistics of normalization layers are averaged with the weights: those
    of the latest weights do not fit averaged ones where training is still moving fast.
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self.updates = dict.fromkeys(networks, 0)
        self.networks = {name: copy.deepcopy(module).eval().requires_grad_(False) for name, module in networks.items()}

    @torch.no_grad()
    def update(self, name: str, module: nn.Module) -> None:
        """Take in a network's weights and statistics after one of its steps; other buffers are copied as they are."""
        count = self.updates[name] = self.updates[name] + 1
        weight = 1 - min(self.decay, (1 + count) / (10 + count))
        average = self.networks[name]
        for mean, parameter in zip(average.parameters(), module.parameters(), strict=True):
            mean.lerp_(parameter, weight)
        for (key, kept), buffer in zip(average.named_buffers(), module.buffers(), strict=True):
            if key.rpartition(".")[2] in STATISTICS:
                kept.lerp_(buffer, weight)
            else:
                kept.copy_(buffer)

    @torch.no_grad()
    def restart(self, networks: Mapping[str, nn.Module]) -> None:
        """Begin anew from the given weights."""
        for name, average in self.networks.items():
            average.load_state_dict(networks[name].state_dict())
            self.updates[name] = 0
