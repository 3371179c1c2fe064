"""Run a method on one image of any size: pad, cut into tiles, predict, blend. All families use this engine."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from itertools import product

import torch
from torch import Tensor, nn

from restore.core.dataset import Batch
from restore.core.errors import DataError, RestoreError, is_out_of_memory
from restore.core.inference.canvas import AUTO_PIXELS, Canvas, Tile, exact_scale, scaled
from restore.core.inference.predictor import Predictor
from restore.core.inference.tiles import TileSpan, blend_weights, fade_width, tile_spans
from restore.core.networks import Networks, for_inference
from restore.core.runtime.precision import autocast

Progress = Callable[[int, int], None]


class OutOfMemory(RestoreError):
    """The smallest tile does not fit in memory."""


class NotFinite(RestoreError):
    """The networks produced NaN or infinite values."""


def predict_image(
    method: Predictor,
    networks: Mapping[str, nn.Module],
    inputs: Mapping[str, Tensor],
    *,
    device: torch.device | str = "cpu",
    tile: Tile = "auto",
    precision: str = "fp32",
    notify: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> dict[str, Tensor]:
    """Compute the outputs of a method for one image.

    The whole image stays on the host; the device holds one tile at a time. If memory runs out, the tiles are halved and
    the image is repeated. If a lower precision overflows, the image is repeated in fp32.

    Args:
        method: declares inputs, outputs and tiling, and predicts.
        networks: its networks; moved to ``device`` in the memory format of training, otherwise unchanged.
        inputs: tensors (C, H, W) by name, in the ranges and scales that ``method.inputs`` declares.
        device: compute device.
        tile: edge of a tile in input pixels, without its halo. None: cut only if memory runs out. ``"auto"``: cut
            images whose input or output is larger than ``AUTO_PIXELS``.
        precision: fp32, or bf16 or fp16 for mixed precision.
        notify: called with a message about each fallback: smaller tiles, higher precision.
        progress: called with the number of finished tiles and their total.

    Returns:
        Tensors (C, H, W) by name, float32 on the host, all values finite.

    Raises:
        DataError: the inputs do not fit the method, or the outputs do not fit in memory.
        UsageError: ``tile`` is given, but the networks must see the whole image.
        OutOfMemory: the smallest tile does not fit.
        NotFinite: a value is NaN or infinite in fp32 too.
    """
    canvas = Canvas.of(method, inputs)
    edge = canvas.first_edge(tile)
    device = torch.device(device)
    say = notify or _nothing
    with for_inference(networks, device, channels_last=method.channels_last) as view:
        while True:
            outputs = _empty_outputs(canvas)
            try:
                _fill(outputs, canvas, view, edge, device, precision, progress or _nothing)
            except NotFinite as error:
                if precision == "fp32":
                    raise
                say(f"{error} in {precision}; repeating the image in fp32")
                precision = "fp32"
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            else:
                return outputs
            # Outside the except block the traceback is gone; it kept alive the tensors that filled the memory.
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()
            edge = _smaller(canvas, edge, device)
            say(f"not enough memory on {device.type}; trying tiles of {edge} pixels")


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


def _smaller(canvas: Canvas, edge: int | None, device: torch.device) -> int:
    smaller = canvas.smaller_edge(edge)
    if smaller is None:
        whole = canvas.method.tiling.mode == "whole"
        what = "the whole image (this task supports no tiles)" if whole else "the smallest tile"
        other = "" if device.type == "cpu" else " or --device cpu"
        raise OutOfMemory(f"not enough memory on {device.type} for {what}; use a smaller image{other}")
    return smaller


def _fill(
    outputs: dict[str, Tensor],
    canvas: Canvas,
    networks: Networks,
    edge: int | None,
    device: torch.device,
    precision: str,
    progress: Progress,
) -> None:
    """Run every tile and add its weighted result to the outputs."""
    edge = edge or max(canvas.height, canvas.width)
    rows = tile_spans(canvas.height, edge, canvas.halo, canvas.step)
    columns = tile_spans(canvas.width, edge, canvas.halo, canvas.step)
    blended = canvas.method.tiling.mode == "blend"
    fades = tuple(fade_width(pieces, canvas.halo) if blended else 0 for pieces in (rows, columns))
    total = len(rows) * len(columns)
    for done, (row, column) in enumerate(product(rows, columns), start=1):
        predicted = _predicted(canvas, networks, row, column, device, precision)
        for name, spec in canvas.method.outputs.items():
            scale = exact_scale(spec)
            # Class indices cannot be averaged, so planes that are not smooth are never cross-faded.
            fade = fades if spec.smooth else (0, 0)
            down = blend_weights(row, canvas.height, fade[0], scale)
            right = blend_weights(column, canvas.width, fade[1], scale)
            _add(
                outputs[name], predicted[name], down, right, int(row.seen_start * scale), int(column.seen_start * scale)
            )
        progress(done, total)


def _predicted(
    canvas: Canvas, networks: Networks, row: TileSpan, column: TileSpan, device: torch.device, precision: str
) -> dict[str, Tensor]:
    """Predict one tile; return tensors (C, H, W) on the host."""
    batch: Batch = {}
    for name, spec in canvas.method.inputs.items():
        scale = exact_scale(spec)
        top, bottom, left, right = (
            int(bound * scale) for bound in (row.seen_start, row.seen_stop, column.seen_start, column.seen_stop)
        )
        batch[name] = canvas.tensors[name][None, :, top:bottom, left:right].to(device)
    with torch.inference_mode(), autocast(device, precision):
        predicted = canvas.method.predict(batch, networks)
    tile = {}
    for name, spec in canvas.method.outputs.items():
        scale = exact_scale(spec)
        wanted = (
            1,
            spec.channels,
            int((row.seen_stop - row.seen_start) * scale),
            int((column.seen_stop - column.seen_start) * scale),
        )
        has = tuple(predicted[name].shape) if name in predicted else None
        if has != wanted:
            predictor = type(canvas.method).__name__
            raise RestoreError(f"{predictor} declares an output {name!r} of shape {wanted} here and predicted {has}")
        tile[name] = predicted[name][0].float().cpu()
        if not torch.isfinite(tile[name]).all():
            raise NotFinite("the networks produced NaN or infinite values")
    return tile


def _add(output: Tensor, tile: Tensor, down: Tensor, right: Tensor, top: int, left: int) -> None:
    """Add a tile (C, h, w), weighted by row (h,) and column weights (w,), to a plane at ``top`` and ``left``."""
    rows, columns = _counting(down), _counting(right)
    # The outputs have the size of the image; the result for the padding is cut off.
    target = output[:, top + rows.start : top + rows.stop, left + columns.start : left + columns.stop]
    height, width = target.shape[-2:]
    rows = slice(rows.start, rows.start + height)
    columns = slice(columns.start, columns.start + width)
    target += tile[:, rows, columns] * (down[rows, None] * right[columns])


def _counting(shares: Tensor) -> slice:
    """Return the range in which the weights (N,) are not zero."""
    (places,) = shares.nonzero(as_tuple=True)
    return slice(int(places[0]), int(places[-1]) + 1)


def _empty_outputs(canvas: Canvas) -> dict[str, Tensor]:
    """Return planes of zeros on the host. Raises DataError if they do not fit in the memory of this machine."""
    shapes = {
        name: (spec.channels, *(scaled(length, exact_scale(spec)) for length in canvas.size))
        for name, spec in canvas.method.outputs.items()
    }
    needed = sum(4 * channels * height * width for channels, height, width in shapes.values())
    if needed > _host_memory():
        _, height, width = max(shapes.values(), key=lambda shape: shape[1])
        raise DataError(
            f"the result of {width} x {height} pixels needs {needed / 1e9:.0f} GB, more than this machine has; "
            "use a smaller image"
        )
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


def _host_memory() -> float:
    """Return the memory of this machine in bytes; infinite if unknown."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")
