"""The commands of this family: a page of the worst and best cases, and the cost of each pruned level of a UNet++."""

from __future__ import annotations

import base64
import io
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain
from string import Template

import torch
from PIL import Image
from torch import Tensor, nn

from restore.core.atomic import atomic_write, refuse_overwrite
from restore.core.errors import UsageError
from restore.core.evaluation import evaluate
from restore.core.images.pixels import to_uint8
from restore.core.networks import Networks, for_inference, frozen
from restore.core.runtime.devices import device_of
from restore.core.task import Task
from restore.plugins.unet.metrics import Overlap
from restore.plugins.unet.networks.unet import NestedUNet
from restore.plugins.unet.options import CasesSettings, LevelsSettings, SegmentationEvaluateOptions, SubsetOptions
from restore.plugins.unet.task import Segmentation

SHOWN_SIDE = 192
"""Images smaller than this are upscaled with nearest-neighbor interpolation."""


@dataclass(frozen=True)
class Scored:
    """An image with its scores, and images that show it."""

    name: str
    iou: float
    dice: float
    images: Sequence[Tensor]
    """The image, the predicted and the target regions, (3, H, W) in [0, 1] each."""


def write_cases(task: Task, networks: Networks, settings: CasesSettings) -> None:
    """Segment every image, write the page of cases, and print its path.

    Raises UsageError unless the weights are of a segmentation task, and what reading the images raises.
    """
    if not isinstance(task, Segmentation):
        raise UsageError("cases needs the weights of a segmentation task")
    refuse_overwrite(settings.output, settings.overwrite)
    options = SegmentationEvaluateOptions(**settings.model_dump(include=set(SegmentationEvaluateOptions.model_fields)))
    used = task.with_options(evaluate=options)
    device = device_of(settings.device)
    everything = {**networks, **frozen(used.helper_networks())}
    with for_inference(everything, device, channels_last=task.channels_last) as view:
        worst, best = ranked(used, view, settings, device)
    page = page_of(worst, best, f"{task.model.architecture} on {settings.data or 'the sample'}")
    with atomic_write(settings.output) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(settings.output)


@torch.no_grad()
def ranked(
    task: Segmentation, networks: Networks, settings: CasesSettings, device: torch.device
) -> tuple[list[Scored], list[Scored]]:
    """Return the worst images, worst first, and the best ones, best first, by IoU; no image is in both.

    Args:
        task: the task, with the options of the command.
        networks: the networks in evaluation mode on ``device``.
        settings: settings of the command.
        device: device to compute on.
    """
    images = task.evaluation_data(settings.data)
    iou, dice = (Overlap(score, "image", task.classes, threshold=settings.threshold) for score in ("iou", "dice"))
    scores: list[tuple[float, float, int]] = []
    for index in range(len(images)):
        sample = {name: value[None].to(device) for name, value in images[index].items()}
        found = task.predict(sample, networks)["probability"]
        score = iou.reduce(iou.measure(found, sample["target"]))
        scores.append((score, dice.reduce(dice.measure(found, sample["target"])), index))
    scores.sort(key=lambda entry: (entry[0], entry[2]))
    worst = scores[: settings.count]
    best = scores[len(worst) :][::-1][: settings.count]

    def shown(entry: tuple[float, float, int]) -> Scored:
        sample = {name: value[None].to(device) for name, value in images[entry[2]].items()}
        return Scored(images.name(entry[2]), entry[0], entry[1], task.sample_row(sample, networks))

    return [shown(entry) for entry in worst], [shown(entry) for entry in best]


def page_of(worst: Sequence[Scored], best: Sequence[Scored], title: str) -> str:
    """Return the page as HTML that needs no other file."""
    sections = "".join(
        f"<h2>{heading}</h2><table><tr><th>image<th>IoU<th>Dice<th>input<th>found<th>right</tr>"
        + "".join(_row(case) for case in cases)
        + "</table>"
        for heading, cases in (("Worst", worst), ("Best", best))
        if cases
    )
    return PAGE.substitute(title=escape(title), sections=sections)


def _row(case: Scored) -> str:
    images = "".join(f'<td><img alt="" src="data:image/png;base64,{_png(image)}">' for image in case.images)
    return f"<tr><td>{escape(case.name)}<td>{case.iou:.3f}<td>{case.dice:.3f}{images}</tr>"


def _png(image: Tensor) -> str:
    levels = to_uint8(image).permute(1, 2, 0).cpu().numpy()
    pil_image = Image.fromarray(levels)
    factor = -(-SHOWN_SIDE // max(pil_image.size))
    if factor > 1:
        pil_image = pil_image.resize((pil_image.width * factor, pil_image.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    pil_image.save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>$title</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }
table { border-collapse: collapse } td, th { padding: .3em .6em; text-align: left; vertical-align: top }
td:nth-child(2), td:nth-child(3) { font-variant-numeric: tabular-nums }
td:first-child { overflow-wrap: anywhere; max-width: 16em }
img { image-rendering: pixelated; max-width: 24em }
</style>
<h1>$title</h1>
<p>IoU and Dice of single images. Found and right regions are tinted in the color of their class.</p>
$sections
""")


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
        parts = [network.pruned(level) for level in range(1, network.depth + 1)]
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
