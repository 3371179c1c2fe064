"""Run a method on one image of any size: pad, cut into tiles, predict, blend. All families use this engine.

The inputs are read window by window (`ImageReader`), and finished rows of the outputs leave as bands (`Band`), so that
memory holds one row of tiles whatever the size. `predict_rows` gives the bands to a receiver, such as image
files that grow row by row; `predict_image` joins them to tensors. Neither tiles nor bands change a value, but for
rounding.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from restore.core.dataset import Batch
from restore.core.errors import DataError, RestoreError, is_out_of_memory
from restore.core.inference.bands import Band, Compute, NotFinite, Progress, compute_tiles
from restore.core.inference.canvas import AUTO_PIXELS, Canvas, Tile
from restore.core.inference.patches import lay_patches
from restore.core.inference.predictor import Predictor
from restore.core.inference.readers import ImageReader
from restore.core.networks import Networks, for_inference
from restore.core.runtime.memory import host_memory

__all__ = ["Band", "NotFinite", "OutOfMemory", "Receiver", "predict_bounded", "predict_image", "predict_rows"]


class OutOfMemory(RestoreError):
    """The smallest tile does not fit in memory."""


class Receiver(Protocol):
    """What takes the finished rows of one image."""

    def add(self, band: Band) -> None:
        """Take the next rows."""
        ...


R = TypeVar("R", bound=Receiver)


def predict_rows(
    method: Predictor,
    networks: Mapping[str, nn.Module],
    inputs: Mapping[str, Tensor | ImageReader],
    receive: Callable[[Canvas], AbstractContextManager[R]],
    *,
    device: torch.device | str = "cpu",
    tile: Tile = "auto",
    precision: str = "fp32",
    notify: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> R:
    """Compute the outputs of a method for one image of any size, in memory for one row of tiles.

    The device holds one tile at a time. If memory runs out, the tiles are halved and the image is repeated. If a lower
    precision overflows, the image is repeated in fp32.

    Args:
        method: declares inputs, outputs and tiling, and predicts.
        networks: its networks; moved to ``device`` in the memory format of training, otherwise unchanged.
        inputs: tensors or readers (C, H, W) by name, in the ranges and scales that ``method.inputs`` declares.
        receive: opens what takes the rows; called again for each attempt, after the block of the last one was left with
            an error.
        device: compute device.
        tile: edge of a tile in input pixels, without its halo. None: cut only if memory runs out. ``"auto"``: cut
            images whose input or output is larger than ``AUTO_PIXELS``.
        precision: fp32, or bf16 or fp16 for mixed precision.
        notify: called with a message about each fallback: smaller tiles, higher precision.
        progress: called with the number of finished tiles and their total.

    Returns:
        The receiver that has taken all rows.

    Raises:
        DataError: the inputs do not fit the method, or it must see the whole image and that needs more memory than this
            machine has.
        UsageError: ``tile`` is given, but the networks must see the whole image.
        OutOfMemory: the smallest tile does not fit.
        NotFinite: a value is NaN or infinite in fp32 too.
    """
    canvas = Canvas.of(method, inputs)
    edge = canvas.first_edge(tile)
    device = torch.device(device)
    say = notify or _nothing
    _refuse_large_whole(canvas, device)
    with for_inference(networks, device, channels_last=method.channels_last) as view:
        while True:
            try:
                return _pass_on_bands(canvas, edge, Compute(view, device, precision), receive, progress or _nothing)
            except NotFinite as error:
                if precision == "fp32":
                    raise
                say(f"{error} in {precision}; repeating the image in fp32")
                precision = "fp32"
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            _release_memory()  # here the traceback is gone, which kept alive the tensors that filled the memory
            edge = _shrink_tile(canvas, edge, device)
            say(f"not enough memory on {device.type}; trying tiles of {edge} pixels")


def _release_memory() -> None:
    """Return unused memory to the system, and what torch keeps of a GPU, of whatever kind."""
    gc.collect()  # before the import, which needs memory too
    from accelerate.utils.memory import clear_device_cache

    clear_device_cache()


def _refuse_large_whole(canvas: Canvas, device: torch.device) -> None:
    """Raise DataError if a method that must see the whole image would need more memory than the host has."""
    method = canvas.method
    if device.type != "cpu" or method.tiling.mode != "whole" or type(method).patches is not Predictor.patches:
        return
    shapes = [canvas.shape_of(spec) for spec in (*method.outputs.values(), *method.inputs.values())]
    channels, height, width = max(shapes, key=math.prod)
    needed, there = method.bytes_per_value * channels * height * width, host_memory()
    if needed > there:
        raise DataError(
            f"this method must see the whole image, which takes about {needed / 1e9:.0f} GB for {width} x {height} "
            f"pixels; this machine has {there / 1e9:.0f} GB. Use a smaller image, or another method"
        )


def _pass_on_bands(
    canvas: Canvas,
    edge: int | None,
    compute: Compute,
    receive: Callable[[Canvas], AbstractContextManager[R]],
    progress: Progress,
) -> R:
    with receive(canvas) as receiver:
        for band in _bands(canvas, edge, compute, progress):
            receiver.add(band)
            del band  # or it would stay while the next one is computed
    return receiver


def _bands(canvas: Canvas, edge: int | None, compute: Compute, progress: Progress) -> Iterator[Band]:
    patches = canvas.method.patches(canvas.readers, compute.networks, compute.device)
    if patches is not None:
        return lay_patches(canvas, patches, compute, progress)
    return compute_tiles(canvas, edge, compute, progress)


def predict_image(
    method: Predictor,
    networks: Mapping[str, nn.Module],
    inputs: Mapping[str, Tensor | ImageReader],
    *,
    device: torch.device | str = "cpu",
    tile: Tile = "auto",
    precision: str = "fp32",
    notify: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> dict[str, Tensor]:
    """Compute the outputs of a method for one image as tensors, which have to fit in memory; see `predict_rows`.

    Returns:
        Tensors (C, H, W) by name, float32 on the host, all values finite.

    Raises:
        DataError: the inputs do not fit the method, or the outputs do not fit in memory.
        UsageError, OutOfMemory, NotFinite: as `predict_rows`.
    """
    whole = predict_rows(
        method,
        networks,
        inputs,
        _open_whole,
        device=device,
        tile=tile,
        precision=precision,
        notify=notify,
        progress=progress,
    )
    return whole.outputs


class WholeOutputs:
    """Joins bands to tensors. Raises DataError if they do not fit in the memory of this machine."""

    def __init__(self, canvas: Canvas) -> None:
        specs = canvas.method.outputs
        shapes = {name: canvas.shape_of(spec) for name, spec in specs.items()}
        needed = sum(4 * channels * height * width for channels, height, width in shapes.values())
        if needed > host_memory():
            _, height, width = max(shapes.values(), key=lambda shape: shape[1])
            raise DataError(
                f"the result of {width} x {height} pixels needs {needed / 1e9:.0f} GB, more than this machine has; "
                "use a smaller image"
            )
        self._canvas = canvas
        self.outputs = {name: torch.empty(0) for name in shapes}
        """Tensors (C, H, W) by name."""
        self._shapes = shapes

    def add(self, band: Band) -> None:
        """Copy a band to its place."""
        for name, rows in band.outputs.items():
            place = self._canvas.rows_of(self._canvas.method.outputs[name], band.rows)
            if rows.shape == self._shapes[name]:
                self.outputs[name] = rows
                continue
            if not self.outputs[name].numel():
                self.outputs[name] = torch.empty(self._shapes[name])
            self.outputs[name][:, place] = rows


@contextmanager
def _open_whole(canvas: Canvas) -> Iterator[WholeOutputs]:
    yield WholeOutputs(canvas)


def predict_bounded(method: Predictor, batch: Batch, networks: Networks) -> Batch:
    """Predict in bounded memory, for validation on images of any size.

    A single image with more than ``AUTO_PIXELS`` input or output pixels is cut into tiles, unless the method must see
    the whole image. Everything else goes through ``method.predict`` directly.
    """
    first = batch[method.main_input]
    largest = max(spec.scale for spec in (*method.inputs.values(), *method.outputs.values())) ** 2
    if len(first) > 1 or method.tiling.mode == "whole" or first.shape[-2] * first.shape[-1] * largest <= AUTO_PIXELS:
        return method.predict(batch, networks)
    outputs = predict_image(method, networks, {name: batch[name][0] for name in method.inputs}, device=first.device)
    return {name: spec.unsqueeze(0).to(first.device) for name, spec in outputs.items()}


def _nothing(*_: object) -> None:
    """Ignore a message or progress."""


def _shrink_tile(canvas: Canvas, edge: int | None, device: torch.device) -> int:
    smaller = canvas.halve_edge(edge)
    if smaller is None:
        whole = canvas.method.tiling.mode == "whole"
        what = "the whole image (this task supports no tiles)" if whole else "the smallest tile"
        other = "" if device.type == "cpu" else " or --device cpu"
        raise OutOfMemory(f"not enough memory on {device.type} for {what}; use a smaller image{other}")
    return smaller
