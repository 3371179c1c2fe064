"""Build networks that are chosen by name, and check that they do what their role promises."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from restore.core.contracts import CONTRACTS, check_architecture, tiling_of
from restore.core.specs import Tiling
from restore.plugins.common.registered import RegisteredSettings


def build_network(
    settings: RegisteredSettings, *, input_size: tuple[int, int] | None = None, **given: Any
) -> nn.Module:
    """Build the network that settings name, from its own settings and the arguments of its role.

    On the device ``meta`` it is built without weights, and not checked.

    Args:
        settings: the group with the name of the architecture.
        input_size: the only height and width that the network has to accept; None: any.
        **given: the arguments that the contract of the role promises, such as ``scale``.

    Raises:
        UnfitForRole: the network does not do what its role promises.
    """
    name = settings.full_name
    network: nn.Module = settings.load()(**given, **settings.own_values())
    without_values = any(parameter.is_meta for parameter in network.parameters())
    if settings.role in CONTRACTS and not without_values:
        check_architecture(network, settings.role, name, given=given, input_size=input_size)
    return network


def build_without_weights(settings: RegisteredSettings, **given: Any) -> nn.Module:
    """Build the network that settings name on the device ``meta``, in no time, to read its attributes.

    Args:
        settings: the group with the name of the architecture.
        **given: the arguments that the contract of the role promises.
    """
    with torch.device("meta"):
        network: nn.Module = settings.load()(**given, **settings.own_values())
    return network


def find_tiling(settings: RegisteredSettings, **given: Any) -> Tiling:
    """Return how large images may be cut for the network that settings name, without making its weights."""
    return tiling_of(build_without_weights(settings, **given))
