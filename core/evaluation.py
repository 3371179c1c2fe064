"""Measure a method on images: each once, whatever the number of processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils import gather_object
from torch import Tensor, nn

from restore.core.dataset import AnyDataset, Batch, ImageDataset, as_dataset
from restore.core.errors import DataError
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol, MetricResult
from restore.core.networks import Networks, for_inference
from restore.core.seeding import derive_seed, seeded


@dataclass(frozen=True)
class Evaluation:
    """What a method scored."""

    numbers: Sequence[MetricResult]
    per_image: Sequence[Mapping[str, Any]]
    """``{"image", "name", "of", "value"}`` for every image and metric."""


class EvaluationInterrupted(Exception):
    """``stop`` said so; nothing was measured."""


def as_batch(sample: Mapping[str, Tensor], device: torch.device) -> Batch:
    """A batch of one sample on a device."""
    return {name: value.unsqueeze(0).to(device) for name, value in sample.items()}


@torch.no_grad()
def evaluate(
    method: Method,
    networks: Mapping[str, nn.Module],
    data: AnyDataset,
    protocol: EvaluationProtocol,
    *,
    device: torch.device | str = "cpu",
    of: str,
    rank: int = 0,
    processes: int = 1,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure every image once, in fp32, and reduce in float64.

    Args:
        method: what predicts and measures.
        networks: its networks; moved to ``device`` in the memory format of training, and otherwise left as they were.
        data: what to measure on; images may differ in size, one is measured at a time.
        protocol: which metrics, in which convention.
        device: where to compute.
        of: whose numbers these are, as reports name it.
        rank: this process; it measures images rank, rank + processes, … and receives the rows of all others.
        processes: how many processes share the work.
        stop: asked before each image; if true, the evaluation is given up.
        progress: told how many images of this process are done, and of how many.

    Raises:
        DataError: there is no image, or one cannot be measured, which is named.
        EvaluationInterrupted: ``stop`` returned true.
    """
    images = as_dataset(data)
    if not len(images):
        raise DataError("there is no image to measure on")
    device = torch.device(device)
    mine = range(rank, len(images), processes)
    rows: list[tuple[int, dict[str, Tensor]]] = []
    with for_inference(networks, device, channels_last=method.channels_last) as view:
        for done, index in enumerate(mine):
            if stop and stop():
                raise EvaluationInterrupted
            with seeded(derive_seed("evaluation", index), device):  # an estimate that draws is the same each time
                statistics = _measured(method, images, index, view, protocol, device)
            rows.append((index, {name: value.detach().cpu().double() for name, value in statistics.items()}))
            if progress:
                progress(done + 1, len(mine))
    if processes > 1:
        rows = sorted(gather_object(rows), key=lambda row: int(row[0]))
    return _reduce(rows, protocol, images, of)


def _measured(
    method: Method,
    images: ImageDataset,
    index: int,
    networks: Networks,
    protocol: EvaluationProtocol,
    device: torch.device,
) -> dict[str, Tensor]:
    """Statistics of one image for every metric; what is wrong with it is said with its name."""
    batch = as_batch(images[index], device)
    try:
        return method.measure(batch, networks, protocol)
    except DataError as error:
        raise DataError(f"{images.name(index)}: {error}") from error


def _reduce(
    rows: list[tuple[int, dict[str, Tensor]]], protocol: EvaluationProtocol, images: ImageDataset, of: str
) -> Evaluation:
    numbers, per_image = [], []
    for name, metric in protocol.metrics.items():
        table = torch.cat([statistics[name] for _, statistics in rows])
        numbers.append(MetricResult(metric.name, metric.convention, of, metric.reduce(table)))
        for index, statistics in rows:
            value = metric.reduce(statistics[name])
            per_image.append({"image": images.name(index), "name": metric.name, "of": of, "value": value})
    return Evaluation(numbers, per_image)
