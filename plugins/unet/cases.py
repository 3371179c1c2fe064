"""The command ``cases``: a page of the images that a segmentation network does worst and best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from restore.core.atomic import atomic_write, refuse_overwrite
from restore.core.errors import UsageError
from restore.core.images.pixels import to_pil_image
from restore.core.networks import Networks, for_inference, frozen
from restore.core.pages.embedding import embed_image
from restore.core.pages.page import Page, fill_template
from restore.core.runtime.devices import device_of
from restore.core.task import Task
from restore.plugins.unet.metrics import Overlap
from restore.plugins.unet.options import CasesSettings, SegmentationEvaluateOptions
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
        worst, best = rank_cases(used, view, settings, device)
    page = render_cases(worst, best, f"{task.model.architecture} on {settings.data or 'the sample'}")
    with atomic_write(settings.output) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(settings.output)


@torch.no_grad()
def rank_cases(
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

    def collect(entry: tuple[float, float, int]) -> Scored:
        sample = {name: value[None].to(device) for name, value in images[entry[2]].items()}
        return Scored(images.name(entry[2]), entry[0], entry[1], task.sample_row(sample, networks))

    return [collect(entry) for entry in worst], [collect(entry) for entry in best]


def render_cases(worst: Sequence[Scored], best: Sequence[Scored], title: str) -> str:
    """Return the page as HTML that needs no other file."""
    sections = [("Worst", worst), ("Best", best)]
    return Page(title=title, body=fill_template(BODY, title=title, sections=sections, embed=_embed)).html()


def _embed(image: Tensor) -> str:
    """Return an image as an address; small ones are upscaled, so that their pixels can be seen."""
    pil_image = to_pil_image(image)
    factor = -(-SHOWN_SIDE // max(pil_image.size))
    if factor > 1:
        pil_image = pil_image.resize((pil_image.width * factor, pil_image.height * factor), Image.Resampling.NEAREST)
    return embed_image(pil_image, max_side=None, kind="png")


BODY = """\
<h1>{{ title }}</h1>
<p>IoU and Dice of single images. Found and right regions are tinted in the color of their class.</p>
{% for heading, cases in sections if cases %}
<h2>{{ heading }}</h2>
<div class="scroll"><table>
<tr><th>image</th><th class="number">IoU</th><th class="number">Dice</th><th>input</th><th>found</th><th>right</th></tr>
{% for case in cases %}
<tr><td>{{ case.name }}</td>
<td class="number">{{ "%.3f" % case.iou }}</td><td class="number">{{ "%.3f" % case.dice }}</td>
{% for image in case.images %}
<td><img class="pixels" alt="{{ ['input', 'found', 'right'][loop.index0] }}" src="{{ embed(image) }}"></td>
{% endfor %}
</tr>
{% endfor %}
</table></div>
{% endfor %}
"""
