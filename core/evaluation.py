"""Measure a method on images, each image once, on any number of processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from accelerate.utils import gather_object
from torch import Tensor, nn

from restore.core.dataset import AnyDataset, Batch, ImageDataset, as_dataset
from restore.core.errors import DataError, RestoreError
from restore.core.method import Method
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks, for_inference
from restore.core.reduction import Evaluation, describe_target, reduce_rows
from restore.core.seeding import derive_seed, seeded


class EvaluationInterrupted(Exception):
    """``stop`` returned true; there is no result."""


def as_batch(sample: Mapping[str, Tensor], device: torch.device) -> Batch:
    """Return a batch of one sample on a device."""
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
    failed: Callable[[str, RestoreError], None] | None = None,
) -> Evaluation:
    """Measure every image once, in fp32, and reduce in float64.

    Args:
        method: the method to measure.
        networks: its networks; moved to ``device`` in the memory format of training, otherwise unchanged.
        data: images to measure on; they may differ in size and are measured one at a time.
        protocol: the metrics and their conventions.
        device: compute device.
        of: name of what is measured, for reports.
        rank: index of this process. It measures images rank, rank + processes, … and receives the rows of all others.
        processes: number of processes that share the work.
        stop: called before each image; if it returns true, the evaluation ends.
        progress: called with the number of finished images of this process and their total.
        failed: called with the name and the error of an image that cannot be read or measured, which is left out;
            None: such an image ends the evaluation.

    Raises:
        DataError: ``data`` is empty, an image cannot be measured, which the message names, or all are too small for
            every metric.
        EvaluationInterrupted: ``stop`` returned true.
    """
    images = as_dataset(data)
    if not len(images):
        raise DataError("the evaluation data contains no images")
    device = torch.device(device)
    mine = range(rank, len(images), processes)
    rows: list[tuple[int, dict[str, Tensor]]] = []
    with for_inference(networks, device, channels_last=method.channels_last) as view:
        for done, index in enumerate(mine):
            if stop and stop():
                raise EvaluationInterrupted
            try:
                rows.append((index, measure_image(method, images, index, view, protocol, device)))
            except RestoreError as error:
                if failed is None or (not rows and done + 1 == len(mine) and processes == 1):
                    raise
                failed(images.name(index), error)
            if progress:
                progress(done + 1, len(mine))
    if processes > 1:
        rows = sorted(gather_object(rows), key=lambda row: int(row[0]))
    return reduce_rows(rows, protocol, images, of)


@torch.no_grad()
def measure_image(
    method: Method,
    images: ImageDataset,
    index: int,
    networks: Networks,
    protocol: EvaluationProtocol,
    device: torch.device,
) -> dict[str, Tensor]:
    """Return the statistics of one image for every metric, float64 on the host.

    They depend neither on other images nor on the process. Raises RestoreError if the image cannot be read, DataError
    that names the image if it cannot be measured.
    """
    with seeded(derive_seed("evaluation", index), device):  # random estimates are the same each time
        batch = as_batch(images[index], device)
        try:
            statistics = method.measure(batch, networks, protocol)
        except DataError as error:
            raise DataError(f"{images.name(index)}: {error}") from error
        measured = {name: value.detach().cpu().double() for name, value in statistics.items()}
        return {**describe_target(batch.get("target")), **measured}
