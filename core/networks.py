"""`Networks`, the mapping that the engine passes to a task, and moving networks between devices and modes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from restore.core.runtime.devices import runs_channels_last, strict_fp32


class Networks(Mapping[str, nn.Module]):
    """Networks by name, as items or as attributes: ``nets.generator(x)``."""

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        self._networks = dict(networks)

    def __getitem__(self, name: str) -> nn.Module:
        return self._networks[name]

    def __getattr__(self, name: str) -> nn.Module:
        try:
            network: nn.Module = self.__dict__["_networks"][name]
        except KeyError:
            raise AttributeError(f"no network {name!r}") from None
        return network

    def __iter__(self) -> Iterator[str]:
        return iter(self._networks)

    def __len__(self) -> int:
        return len(self._networks)


def frozen(networks: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Set networks to evaluation mode and disable their gradients permanently."""
    return {name: network.eval().requires_grad_(False) for name, network in networks.items()}


def move(networks: Iterable[nn.Module], device: torch.device | str, *, channels_last: bool) -> None:
    """Move networks to a device, in place."""
    for network in networks:
        network.to(torch.device(device))
        if channels_last and runs_channels_last(device):
            network.to(memory_format=torch.channels_last)


@contextmanager
def for_inference(
    networks: Mapping[str, nn.Module], device: torch.device | str, *, channels_last: bool = False
) -> Iterator[Networks]:
    """Put networks on a device and in evaluation mode within the block, and compute in full fp32 (see `strict_fp32`).

    The block restores the training mode of each network at its end. The networks are moved, not copied, and
    stay on the device.
    """
    training = {name: network.training for name, network in networks.items()}
    move(networks.values(), device, channels_last=channels_last)
    try:
        with strict_fp32():
            yield Networks({name: network.eval() for name, network in networks.items()})
    finally:
        for name, network in networks.items():
            network.train(training[name])
