"""Models that stay in memory between requests, as many as fit into a budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from torch import Tensor

from restore.cli.server.catalog import ServedModel
from restore.core.inference.folding import fold_batch_norm
from restore.core.method import Method
from restore.core.networks import Networks
from restore.core.settings import Settings

Key = tuple[object, ...]


@dataclass(frozen=True)
class OpenedModel:
    """A method with its networks."""

    method: Method
    networks: Networks

    @property
    def bytes(self) -> int:
        """Memory that the networks take."""
        return sum(tensor.numel() * tensor.element_size() for tensor in _tensors(self.networks))


class OpenedModels:
    """Opens each model once. When the budget is used up, it closes those that were used longest ago.

    It is used by one thread.

    Args:
        budget: bytes that all networks together may take; the one in use may take more.
    """

    def __init__(self, budget: float) -> None:
        self._budget = budget
        self._opened: OrderedDict[Key, OpenedModel] = OrderedDict()

    def open(self, model: ServedModel, options: Settings) -> OpenedModel:
        """Return a model with these options, loaded unless it is in memory.

        Raises what `ModelRef.open` raises.
        """
        key = _key_of(model)
        if key not in self._opened:
            method, networks = model.ref.open()
            self._keep(key, OpenedModel(method, Networks(fold_batch_norm(networks))))
        base = self._opened[key]
        self._opened.move_to_end(key)
        method = base.method.with_options(predict=options)
        if not (base.method.helper_networks() or method.helper_networks()):
            return OpenedModel(method, base.networks)
        # Networks that depend on the options, such as an ensemble.
        own = (*key, options.model_dump_json())
        if own not in self._opened:
            method, networks = model.ref.open(predict=options)
            self._keep(own, OpenedModel(method, Networks(fold_batch_norm(networks))))
        self._opened.move_to_end(own)
        return self._opened[own]

    def _keep(self, key: Key, opened: OpenedModel) -> None:
        self._opened[key] = opened
        while len(self._opened) > 1 and sum(each.bytes for each in self._opened.values()) > self._budget:
            oldest = next(iter(self._opened))
            if oldest == key[: len(oldest)]:  # the model itself, of which this is a variation
                self._opened.move_to_end(oldest)
                if len(self._opened) == 2:
                    return
                continue
            del self._opened[oldest]


def _key_of(model: ServedModel) -> Key:
    """Return what changes when the weights file does, such as that of a run that goes on."""
    if model.ref.weights is None:
        return (model.ref.entry.full_name,)
    about = model.ref.weights.stat()
    return (model.ref.entry.full_name, str(model.ref.weights), about.st_mtime_ns, about.st_size)


def _tensors(networks: Networks) -> Iterator[Tensor]:
    for network in networks.values():
        yield from chain(network.parameters(), network.buffers())
