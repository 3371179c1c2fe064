"""The images of an evaluation that a model does worst, drawn for a report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from PIL import Image
from torch import Tensor, nn

from restore.core.dataset import ImageDataset
from restore.core.errors import RestoreError
from restore.core.evaluation import as_batch
from restore.core.images.pixels import to_pil_image
from restore.core.method import Method
from restore.core.networks import for_inference
from restore.core.pages.embedding import embed_image
from restore.core.reduction import Evaluation
from restore.core.seeding import derive_seed, seeded

MOST = 12
"""Images that a report shows."""


def rank_images(measured: Evaluation) -> list[str]:
    """Return the names of the images, the worst by the first metric first; those without a value come last."""
    number, metric = measured.numbers[0], measured.metrics[0]
    sign = 1 if metric.better == "higher" else -1
    values = {
        str(row["image"]): sign * float(row["value"])
        for row in measured.per_image
        if (row["name"], row["convention"]) == (number.name, number.convention)
    }
    return sorted(
        values, key=lambda name: (math.isnan(values[name]), values[name] if values[name] == values[name] else 0)
    )


@torch.no_grad()
def draw_images(
    method: Method, networks: Mapping[str, nn.Module], images: ImageDataset, names: Sequence[str], device: torch.device
) -> Iterator[tuple[str, list[str]]]:
    """Yield images as ``data:`` addresses: input, output, and what else the method shows, such as the target.

    Args:
        method: the method.
        networks: its networks.
        images: the images that were measured.
        names: the wanted ones; what cannot be read or drawn is left out.
        device: compute device.
    """
    places = {images.name(index): index for index in range(len(images))}
    with for_inference(networks, device, channels_last=method.channels_last) as view:
        for name in names:
            index = places[name]
            with seeded(derive_seed("evaluation", index), device):  # the random estimates that were measured
                try:
                    row = method.sample_row(as_batch(images[index], device), view)
                except RestoreError:
                    continue
            yield name, [embed_image(image) for image in _to_images(row)]


def _to_images(row: Sequence[Tensor]) -> list[Image.Image]:
    """Return images of one height; smaller ones are upscaled by repeating pixels."""
    height = max(image.shape[-2] for image in row)
    found = []
    for each in row:
        image = to_pil_image(each.detach().expand(3, -1, -1))
        size = (max(1, round(image.width * height / image.height)), height)
        found.append(image if image.size == size else image.resize(size, Image.Resampling.NEAREST))
    return found
