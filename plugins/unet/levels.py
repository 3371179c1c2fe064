"""The command ``levels``: the cost and the quality of each pruned level of a UNet++."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import nn

from restore.core.errors import UsageError
from restore.core.evaluation import evaluate
from restore.core.networks import Networks, for_inference
from restore.core.runtime.devices import device_of
from restore.core.task import Task
from restore.plugins.unet.metrics import Overlap
from restore.plugins.unet.networks.unet import NestedUNet
from restore.plugins.unet.options import LevelsSettings, SegmentationEvaluateOptions, SubsetOptions
from restore.plugins.unet.task import Segmentation


@dataclass(frozen=True)
class Level:
    """Cost and quality of one level."""

    level: int
    parameters: int
    milliseconds: float
    """Median wall time of one image."""
    iou: float
    """IoU pooled over the set."""


def compare_levels(task: Task, networks: Networks, settings: LevelsSettings) -> None:
    """Print parameters, time and IoU of every level.

    Raises UsageError unless the weights are of a UNet++ with deep supervision.
    """
    rows = levels(task, networks, settings)
    first = next(rows)  # raise errors before printing the header
    print(f"{'level':<6}{'parameters':>12}{'ms an image':>14}{'IoU (pooled over the set)':>28}")
    for found in chain([first], rows):
        print(f"L{found.level:<5}{found.parameters:>12,}{found.milliseconds:>14.2f}{found.iou:>28.4f}")


def levels(task: Task, networks: Networks, settings: LevelsSettings) -> Iterator[Level]:
    """Measure every level, shallowest first."""
    network = networks.get("segmenter")
    if not isinstance(task, Segmentation) or not isinstance(network, NestedUNet) or not network.deep_supervision:
        raise UsageError("levels needs the weights of a UNet++ trained with --deep-supervision")
    device = device_of(settings.device)
    options = SegmentationEvaluateOptions(**settings.model_dump(include=set(SubsetOptions.model_fields)))
    images = task.with_options(evaluate=options).evaluation_data(settings.data)
    with for_inference(networks, device, channels_last=task.channels_last):
        parts = [network.prune(level) for level in range(1, network.depth + 1)]
        taken = _seconds(parts, images[0]["input"][None].to(device), settings.repeats)
    for level, (part, seconds) in enumerate(zip(parts, taken, strict=True), 1):
        measured = task.with_options(evaluate=options.model_copy(update={"level": level}))
        protocol = measured.protocols()["overlap"]
        scores = evaluate(measured, networks, images, protocol, device=device, of=f"L{level}")
        name = Overlap("iou", "set", task.classes, threshold=settings.threshold).name
        iou = next(number.value for number in scores.numbers if number.name == name)
        parameters = sum(parameter.numel() for parameter in part.parameters())
        yield Level(level, parameters, 1000 * seconds, iou)


@torch.no_grad()
def _seconds(networks: Sequence[nn.Module], image: torch.Tensor, repeats: int) -> list[float]:
    """Return the median time of a call of each network. Networks take turns, so that other load affects all equally."""
    times: list[list[float]] = [[] for _ in networks]
    for _ in range(repeats + 1):
        for network, taken in zip(networks, times, strict=True):
            began = time.perf_counter()
            network(image)
            if image.is_cuda:
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - began)
    return [statistics.median(taken[1:]) for taken in times]
