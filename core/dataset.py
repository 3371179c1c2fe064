"""Datasets as the engine uses them, and `as_dataset`, which adapts any dataset of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

Batch = dict[str, Tensor]
"""Named tensors; the first axis is the batch."""


class AnyDataset(Protocol):
    """Any map-style dataset, such as one of torch or torchvision.

    Samples are dictionaries of tensors without a batch axis, or tuples ``(input, target)``. Draw random numbers from
    torch's global generator; the engine seeds it for each sample. Two attributes are optional: ``name(index)`` returns
    the name of a sample for reports, and ``in_memory`` is true if samples are cheap and need no worker process.
    """

    def __len__(self) -> int:
        """Count the samples."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """Make one sample."""
        ...


@runtime_checkable
class ImageDataset(AnyDataset, Protocol):
    """A dataset whose samples are dictionaries of tensors, each with a name."""

    def __getitem__(self, index: int, /) -> dict[str, Tensor]:
        """Make one sample without a batch axis; draws random numbers from torch's global generator only."""
        ...

    def name(self, index: int, /) -> str:
        """Return the name of a sample in reports."""
        ...


class NamedDataset(Dataset[dict[str, Tensor]]):
    """Adapts any dataset to `ImageDataset`. Make one with `as_dataset`."""

    def __init__(self, dataset: AnyDataset, keys: Sequence[str], transform: Callable[[Any], Any] | None) -> None:
        self.dataset = dataset
        self.keys = tuple(keys)
        self.transform = transform
        self.in_memory = bool(getattr(dataset, "in_memory", False))
        self._name = getattr(dataset, "name", str)

    def __len__(self) -> int:
        return len(self.dataset)

    @override
    def __getitem__(self, index: int) -> dict[str, Tensor]:
        sample = self.dataset[index]
        if self.transform is not None:
            sample = self.transform(sample)
        return dict(sample) if isinstance(sample, Mapping) else dict(zip(self.keys, sample, strict=True))

    def name(self, index: int) -> str:
        """Return the dataset's name for a sample, or its index if the dataset has no names."""
        return str(self._name(index))


def as_dataset(
    dataset: AnyDataset,
    keys: Sequence[str] = ("input", "target"),
    *,
    transform: Callable[[Any], Any] | None = None,
) -> NamedDataset:
    """Adapt any map-style dataset to the engine: samples become dictionaries and get names.

    Args:
        dataset: a dataset of torch or torchvision, or one that already has names.
        keys: names for the elements of tuple samples.
        transform: converts an item of the dataset into a sample, a dictionary or a tuple.
    """
    if isinstance(dataset, NamedDataset) and transform is None:
        return dataset
    return NamedDataset(dataset, keys, transform)
