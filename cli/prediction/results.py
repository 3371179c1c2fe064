"""Write the results of one image: what ``predict`` and ``serve`` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from restore.core.images.resizing import OutputSize
from restore.core.images.writer import find_losses
from restore.core.prediction import WrittenImage, predict_to_files

if TYPE_CHECKING:
    import torch

    from restore.cli.task_options import PredictRequest
    from restore.core.images.files import OutputImage, SourceImage
    from restore.core.images.writer import ImageWriter
    from restore.core.inference.bands import Progress
    from restore.core.method import Method
    from restore.core.networks import Networks


def write_results(
    method: Method,
    networks: Networks,
    path: Path,
    image: SourceImage,
    place: Callable[[str], Path],
    request: PredictRequest,
    *,
    device: torch.device,
    precision: str,
    notify: Callable[[str], None],
    progress: Progress,
) -> list[WrittenImage]:
    """Predict one image and write what the method renders. All files are completed at the end, or none exists.

    Args:
        method: the method, which averages over flips and turns if the request asks for it.
        networks: its networks.
        path: the image file.
        image: its decoded content.
        place: returns the file to write for a part of the result; it may raise an error to refuse it.
        request: format, quality, size and tiles.
        device: where to compute.
        precision: fp32, bf16 or fp16.
        notify: called with a warning: what the result does not keep, and each fallback.
        progress: called with the number of finished tiles and their total.

    Raises:
        RestoreError: the image does not fit the method, memory runs out, or a file cannot be written.
    """
    kind, quality = request.output_format, request.quality
    if lost := find_losses(kind, image):
        notify(f"{kind} results do not keep: {', '.join(lost)}")

    def open_file(part: str, rows: OutputImage, size: tuple[int, int]) -> ImageWriter:
        return rows.open_writer(place(part), size, image, kind, quality, resize_alpha=method.resize_alpha_rows)

    return predict_to_files(
        method,
        networks,
        path,
        image,
        open_file,
        size=OutputSize(request.output_scale, request.box),
        device=device,
        tile=None if request.tile == "off" else request.tile,
        precision=precision,
        notify=notify,
        progress=progress,
    )
