"""A page that shows where a network does worst and best."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template

import torch
from PIL import Image
from torch import Tensor

from restore.core.errors import UsageError
from restore.core.machine.devices import device_of
from restore.core.pictures.pixels import to_uint8
from restore.core.steps import Modules
from restore.core.task import Task
from restore.core.writing import check_vacant, replacing
from restore.plugins.unet.metrics import Overlap
from restore.plugins.unet.options import CasesSettings
from restore.plugins.unet.task import Segmentation

SHOWN_SIDE = 192
"""Pictures smaller than this are shown enlarged, pixel by pixel."""


@dataclass(frozen=True)
class Scored:
    """One picture with its score and what shows it."""

    name: str
    iou: float
    dice: float
    pictures: Sequence[Tensor]
    """The picture, what was found, and what is right: (3, H, W) in [0, 1]."""


def write_cases(task: Task, modules: Modules, settings: CasesSettings) -> None:
    """Measure every picture and write the page; prints where it is.

    Raises UsageError where the weights do not segment, and what reading the pictures raises.
    """
    if not isinstance(task, Segmentation):
        raise UsageError("cases are of weights that segment")
    check_vacant(settings.output, settings.overwrite)
    task = type(task)(task.settings, settings)
    device = device_of(settings.device)
    with task.in_use(modules, device) as view:
        worst, best = ranked(task, view, settings, device)
    page = page_of(worst, best, f"{task.model.architecture} on {settings.data or 'the sample'}")
    with replacing(settings.output) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(settings.output)


@torch.no_grad()
def ranked(
    task: Segmentation, modules: Modules, settings: CasesSettings, device: torch.device
) -> tuple[list[Scored], list[Scored]]:
    """The worst pictures, worst first, and the best ones, best first, by IoU; no picture is in both.

    The networks are on ``device`` and in evaluation mode.
    """
    pictures = task.evaluation_data(settings.data)
    iou, dice = (Overlap(score, "image", task.classes, threshold=settings.threshold) for score in ("iou", "dice"))
    scores: list[tuple[float, float, int]] = []
    for index in range(len(pictures)):
        sample = {name: value[None].to(device) for name, value in pictures[index].items()}
        found = task.predict(sample, modules)["probability"]
        score = iou.reduce(iou.measure(found, sample["target"]))
        scores.append((score, dice.reduce(dice.measure(found, sample["target"])), index))
    scores.sort(key=lambda entry: (entry[0], entry[2]))
    worst = scores[: settings.count]
    best = scores[len(worst) :][::-1][: settings.count]

    def shown(entry: tuple[float, float, int]) -> Scored:
        sample = {name: value[None].to(device) for name, value in pictures[entry[2]].items()}
        return Scored(pictures.name(entry[2]), entry[0], entry[1], task.sample_row(sample, modules))

    return [shown(entry) for entry in worst], [shown(entry) for entry in best]


def page_of(worst: Sequence[Scored], best: Sequence[Scored], title: str) -> str:
    """The page as HTML that needs no other file."""
    sections = "".join(
        f"<h2>{heading}</h2><table><tr><th>picture<th>IoU<th>Dice<th>input<th>found<th>right</tr>"
        + "".join(_row(case) for case in cases)
        + "</table>"
        for heading, cases in (("Worst", worst), ("Best", best))
        if cases
    )
    return PAGE.substitute(title=escape(title), sections=sections)


def _row(case: Scored) -> str:
    images = "".join(f'<td><img alt="" src="data:image/png;base64,{_png(picture)}">' for picture in case.pictures)
    return f"<tr><td>{escape(case.name)}<td>{case.iou:.3f}<td>{case.dice:.3f}{images}</tr>"


def _png(picture: Tensor) -> str:
    levels = to_uint8(picture).permute(1, 2, 0).cpu().numpy()
    image = Image.fromarray(levels)
    factor = -(-SHOWN_SIDE // max(image.size))
    if factor > 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
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
<p>IoU and Dice of single pictures. Found and right regions are tinted in the colour of their class.</p>
$sections
""")
