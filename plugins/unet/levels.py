"""What each pruned level of a UNet++ costs and gives."""

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
from restore.core.machine.devices import device_of
from restore.core.steps import Modules
from restore.core.task import Task
from restore.plugins.unet.networks.nested_unet import NestedUNet
from restore.plugins.unet.options import EvaluateSettings, LevelsSettings, MeasuredSettings
from restore.plugins.unet.task import Segmentation


@dataclass(frozen=True)
class Level:
    """One level."""

    level: int
    parameters: int
    milliseconds: float
    """Median wall time of one picture."""
    iou: float
    """Pooled over the set."""


def compare_levels(task: Task, modules: Modules, settings: LevelsSettings) -> None:
    """Print parameters, time and IoU of every level.

    Raises UsageError where the weights are of no deeply supervised UNet++.
    """
    rows = levels(task, modules, settings)
    first = next(rows)  # what cannot be measured is said before any heading
    print(f"{'level':<6}{'parameters':>12}{'ms a picture':>14}{'IoU (pooled over the set)':>28}")
    for found in chain([first], rows):
        print(f"L{found.level:<5}{found.parameters:>12,}{found.milliseconds:>14.2f}{found.iou:>28.4f}")


def levels(task: Task, modules: Modules, settings: LevelsSettings) -> Iterator[Level]:
    """Measure every level, the shallowest first."""
    network = modules.get("segmenter")
    if not isinstance(task, Segmentation) or not isinstance(network, NestedUNet) or not network.deep_supervision:
        raise UsageError("levels are those of a UNet++ that was trained with --deep-supervision")
    device = device_of(settings.device)
    options = EvaluateSettings(**settings.model_dump(include=set(MeasuredSettings.model_fields)))
    pictures = type(task)(task.settings, options).evaluation_data(settings.data)
    with task.in_use(modules, device):
        parts = [network.pruned(level) for level in range(1, network.depth + 1)]
        taken = _seconds(parts, pictures[0]["input"][None].to(device), settings.repeats)
    for level, (part, seconds) in enumerate(zip(parts, taken, strict=True), 1):
        measured = type(task)(task.settings, options.model_copy(update={"level": level}))
        protocol = measured.protocols()["overlap"]
        scores = evaluate(measured, modules, pictures, protocol, device=device, of=f"L{level}")
        iou = next(number.value for number in scores.numbers if number.name == next(iter(protocol.metrics)))
        parameters = sum(parameter.numel() for parameter in part.parameters())
        yield Level(level, parameters, 1000 * seconds, iou)


@torch.no_grad()
def _seconds(networks: Sequence[nn.Module], picture: torch.Tensor, repeats: int) -> list[float]:
    """Median time of a call of each, after one that warms up; in turns, so that a busy moment touches all alike."""
    times: list[list[float]] = [[] for _ in networks]
    for _ in range(repeats + 1):
        for network, taken in zip(networks, times, strict=True):
            began = time.perf_counter()
            network(picture)
            if picture.is_cuda:
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - began)
    return [statistics.median(taken[1:]) for taken in times]
