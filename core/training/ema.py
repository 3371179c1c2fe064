"""Exponential moving averages of weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn

STATISTICS = ("running_mean", "running_var")
"""Buffers of normalization layers that hold statistics of their input."""


class EMA:
    """Exponential moving averages of networks; evaluation, samples and exported weights use them.

    The decay after n updates is ``min(decay, (1 + n) / (10 + n))``, so the average quickly forgets the initial weights.
    Statistics of normalization layers are averaged too; the latest statistics do not fit averaged weights while the
    weights change fast.
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self.updates = dict.fromkeys(networks, 0)
        self.networks = {name: copy.deepcopy(module).eval().requires_grad_(False) for name, module in networks.items()}

    @torch.no_grad()
    def update(self, name: str, module: nn.Module) -> None:
        """Update the average of a network after one of its optimizer steps; other buffers are copied."""
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
        """Restart the averages from the given weights."""
        for name, average in self.networks.items():
            average.load_state_dict(networks[name].state_dict())
            self.updates[name] = 0
