"""Datasets: what a task gives the engine, and how any dataset of torch becomes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

Batch = dict[str, Tensor]
"""Named tensors with a batch axis first."""


class AnyDataset(Protocol):
    """Any map-style dataset, such as one of torch or torchvision.

    Samples are dictionaries of tensors without a batch axis, or tuples ``(input, target)``. Random numbers come from
    torch's global generator: the engine seeds it for each sample. Two attributes are optional: ``name(index)`` is what
    reports call a sample, and ``in_memory`` says that samples are cheap, so that no worker has to load them.
    """

    def __len__(self) -> int:
        """Count the samples."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """Make one sample."""
        ...


@runtime_checkable
class ImageDataset(Protocol):
    """A dataset whose samples are dictionaries of tensors, each with a name."""

    def __len__(self) -> int:
        """Count the samples."""
        ...

    def __getitem__(self, index: int, /) -> dict[str, Tensor]:
        """Make one sample without a batch axis; random numbers come from torch's global generator alone."""
        ...

    def name(self, index: int, /) -> str:
        """Return what reports call a sample."""
        ...


class NamedDataset:
    """Any dataset as the engine uses it; `ImageDataset`. Make one with `as_dataset`."""

    def __init__(self, dataset: AnyDataset, keys: Sequence[str], transform: Callable[[Any], Any] | None) -> None:
        self.dataset = dataset
        self.keys = tuple(keys)
        self.transform = transform
        self.in_memory = bool(getattr(dataset, "in_memory", False))
        self._name = getattr(dataset, "name", str)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        sample = self.dataset[index]
        if self.transform is not None:
            sample = self.transform(sample)
        return dict(sample) if isinstance(sample, Mapping) else dict(zip(self.keys, sample, strict=True))

    def name(self, index: int) -> str:
        """Return the dataset's own name for a sample, or its number."""
        return str(self._name(index))


def as_dataset(
    dataset: AnyDataset,
    keys: Sequence[str] = ("input", "target"),
    *,
    transform: Callable[[Any], Any] | None = None,
) -> NamedDataset:
    """Give any map-style dataset what the engine needs: dictionaries as samples, and names.

    Args:
        dataset: a dataset of torch or torchvision, or one that already has names.
        keys: names of the parts of a sample where samples are tuples.
        transform: makes a sample, a dictionary or a tuple, of an item of the dataset.
    """
    if isinstance(dataset, NamedDataset) and transform is None:
        return dataset
    return NamedDataset(dataset, keys, transform)
