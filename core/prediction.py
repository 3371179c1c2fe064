"""Predict an image file of any size straight into image files, in memory for one row of tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from restore.core.images.files import OutputImage, SourceImage
from restore.core.images.resizing import OutputSize, RowResizer
from restore.core.images.writer import ImageWriter
from restore.core.inference.bands import Progress
from restore.core.inference.canvas import Canvas, Tile
from restore.core.inference.engine import predict_rows
from restore.core.inference.rendering import RenderedRows
from restore.core.method import Method
from restore.core.networks import for_inference
from restore.core.runtime.precision import autocast

OpenFile = Callable[[str, OutputImage, tuple[int, int]], ImageWriter]
"""Opens the file of one image: its name as `Method.render` gives it, its first rows, and its height and width."""


@dataclass(frozen=True)
class WrittenImage:
    """One file of a result."""

    path: Path
    height: int
    width: int


def predict_to_files(
    method: Method,
    networks: Mapping[str, nn.Module],
    path: Path,
    image: SourceImage,
    open_file: OpenFile,
    *,
    size: OutputSize | None = None,
    device: torch.device | str = "cpu",
    tile: Tile = "auto",
    precision: str = "fp32",
    notify: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> list[WrittenImage]:
    """Predict one image and write what the method renders. All files are completed at the end, or none exists.

    Args:
        method: the method; `Method.pixel_reach` says whether its results can be rendered row by row.
        networks: its networks.
        path: the image file.
        image: its decoded content.
        open_file: opens each file when its first rows are known; called again after a fallback.
        size: resizes what is rendered; None: files have its size.
        device, tile, precision, notify, progress: as in `predict_rows`.

    Raises:
        RestoreError: as `predict_rows`, or a file cannot be written.
    """
    files: dict[str, _File] = {}
    scale = method.outputs[method.main_output].scale

    @contextmanager
    def receive(canvas: Canvas) -> Iterator[RenderedRows]:
        files.clear()
        with ExitStack() as stack:

            def write(name: str, rows: OutputImage, rendered: tuple[int, int]) -> None:
                if name not in files:
                    wanted = rendered if size is None else size.of(rendered, image.size, scale)
                    resizer = None if wanted == rendered else RowResizer(rendered, wanted, smooth=rows.smooth)
                    files[name] = _File(stack.enter_context(open_file(name, rows, wanted)), wanted, resizer)
                files[name].write(rows.image)

            yield RenderedRows(canvas, method.render, method.pixel_reach, write)
            # The first of the files that there always are comes last: if it exists, so do all others.
            for name in sorted(files, key=lambda name: name in method.always_renders[:1]):
                files[name].writer.close()

    predict_rows(
        method,
        networks,
        method.open_inputs(path, image),
        receive,
        device=device,
        tile=tile,
        precision=precision,
        notify=notify,
        progress=progress,
    )
    return [WrittenImage(file.writer.path, *file.size) for file in files.values()]


@dataclass(frozen=True)
class _File:
    writer: ImageWriter
    size: tuple[int, int]
    resizer: RowResizer | None

    def write(self, rows: Tensor) -> None:
        """Write the next rows (C, h, W) of what was rendered."""
        for part in [rows] if self.resizer is None else self.resizer.add(rows):
            self.writer.write(part)


def choose_options(
    method: Method,
    networks: Mapping[str, nn.Module],
    path: Path,
    image: SourceImage,
    *,
    device: torch.device | str = "cpu",
    precision: str = "fp32",
) -> Mapping[str, Any]:
    """Return the options that a method chooses for an image, see `Method.choose_options`; empty if it chooses none.

    Args:
        method: the method.
        networks: its networks.
        path: the image file.
        image: its decoded content, which has to fit in memory.
        device: where to compute.
        precision: fp32, bf16 or fp16.

    Raises:
        RestoreError: the image does not fit the method.
    """
    if type(method).choose_options is Method.choose_options:
        return {}
    canvas = Canvas.of(method, method.open_inputs(path, image))
    whole = slice(0, canvas.height), slice(0, canvas.width)
    inputs = {name: canvas.window(name, *whole)[None].to(device) for name in method.inputs}
    with (
        for_inference(networks, device, channels_last=method.channels_last) as view,
        torch.inference_mode(),
        autocast(torch.device(device), precision),
    ):
        return method.choose_options(inputs, view)
