"""Use a task on one image of any size: pad, cut, run, join. One engine for all families."""

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
    """Not even the smallest tile fits."""


class NotFinite(RestoreError):
    """The networks produced values that are no numbers."""


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
    """The outputs of a method for the inputs of one image.

    Whole images stay on the host; only one tile at a time is on the device. Where memory runs out the tiles are
    halved and the image starts anew; where a lower precision overflows it is repeated in fp32.

    Args:
        method: says what goes in and out and how it may be cut.
        networks: its networks; moved to ``device`` in the memory format of training, and otherwise left as they were.
        inputs: tensors (C, H, W) by name, in the ranges and scales that ``method.inputs`` declares.
        device: where to compute.
        tile: edge of a tile in input pixels, its halo not counted; None never cuts unless memory runs out; ``"auto"``
            cuts images whose input or output is larger than ``AUTO_PIXELS``.
        precision: fp32, or bf16 or fp16 for mixed precision.
        notify: told what was changed on the way: smaller tiles, higher precision.
        progress: told how many tiles are done, and of how many.

    Returns:
        Tensors (C, H, W) by name, float32 on the host, every value finite.

    Raises:
        DataError: the inputs do not fit the method, or the outputs would not fit in memory.
        UsageError: a tile was asked for where the networks must see the whole image.
        OutOfMemory: not even small tiles fit.
        NotFinite: a value is no number in fp32 either.
    """
    canvas = Canvas.of(method, inputs)
    edge = canvas.first_edge(tile)
    device = torch.device(device)
    say = notify or _nothing
    with for_inference(networks, device, channels_last=method.channels_last) as view:
        while True:
            try:
                outputs = _attempt(canvas, view, edge, device, precision, progress or _nothing)
            except NotFinite as error:
                if precision == "fp32":
                    raise
                say(f"{error} in {precision}; repeating it in fp32")
                precision = "fp32"
                continue
            if outputs is not None:
                return outputs
            edge = _smaller(canvas, edge, device)
            say(f"not enough memory on {device.type}; trying tiles of {edge} pixels")


def predict_bounded(method: Predictor, batch: Batch, networks: Networks) -> Batch:
    """A prediction whose memory does not grow with the image, as validation on images of any size needs it.

    A single image of more than ``AUTO_PIXELS`` in or out is cut into tiles, unless the method must see it whole; all
    others go through ``method.predict`` as they are.
    """
    first = batch[method.main_input]
    largest = max(spec.scale for spec in (*method.inputs.values(), *method.outputs.values())) ** 2
    if len(first) > 1 or method.tiling.mode == "whole" or first.shape[-2] * first.shape[-1] * largest <= AUTO_PIXELS:
        return method.predict(batch, networks)
    outputs = predict_image(method, networks, {name: batch[name][0] for name in method.inputs}, device=first.device)
    return {name: spec.unsqueeze(0).to(first.device) for name, spec in outputs.items()}


def _nothing(*_: object) -> None:
    """Nobody listens."""


def _smaller(canvas: Canvas, edge: int | None, device: torch.device) -> int:
    smaller = canvas.smaller_edge(edge)
    if smaller is None:
        what = "the whole image, which this task must see" if canvas.method.tiling.mode == "whole" else "a small tile"
        other = "" if device.type == "cpu" else ", or --device cpu"
        raise OutOfMemory(f"not enough memory on {device.type} for {what}; try a smaller image{other}")
    return smaller


def _attempt(
    canvas: Canvas, networks: Networks, edge: int | None, device: torch.device, precision: str, progress: Progress
) -> dict[str, Tensor] | None:
    """The outputs, or None when memory ran out."""
    outputs = _empty_outputs(canvas)
    try:
        _fill(outputs, canvas, networks, edge, device, precision, progress)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    else:
        return outputs
    # The error is gone by now and its traceback with it, which held the tensors that filled the memory.
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return None


def _fill(
    outputs: dict[str, Tensor],
    canvas: Canvas,
    networks: Networks,
    edge: int | None,
    device: torch.device,
    precision: str,
    progress: Progress,
) -> None:
    """Run every tile and add its share to the outputs."""
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
            # Between two classes there is no third, so that planes that are not smooth are never cross-faded.
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
    """What the networks make of one tile: tensors (C, H, W) on the host."""
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
            raise NotFinite("the networks produced values that are no numbers (NaN or infinite)")
    return tile


def _add(output: Tensor, tile: Tensor, down: Tensor, right: Tensor, top: int, left: int) -> None:
    """Add a tile (C, h, w) by its shares of rows (h,) and columns (w,) to a plane, at ``top`` and ``left``."""
    rows, columns = _counting(down), _counting(right)
    # The outputs end where the image does; what the networks made of its continuation is cut off.
    target = output[:, top + rows.start : top + rows.stop, left + columns.start : left + columns.stop]
    height, width = target.shape[-2:]
    rows = slice(rows.start, rows.start + height)
    columns = slice(columns.start, columns.start + width)
    target += tile[:, rows, columns] * (down[rows, None] * right[columns])


def _counting(shares: Tensor) -> slice:
    """Where the shares (N,) are not zero."""
    (places,) = shares.nonzero(as_tuple=True)
    return slice(int(places[0]), int(places[-1]) + 1)


def _empty_outputs(canvas: Canvas) -> dict[str, Tensor]:
    """Planes of zeros on the host. Raises DataError when this machine could not hold them."""
    shapes = {
        name: (spec.channels, *(scaled(length, exact_scale(spec)) for length in canvas.size))
        for name, spec in canvas.method.outputs.items()
    }
    needed = sum(4 * channels * height * width for channels, height, width in shapes.values())
    if needed > _host_memory():
        _, height, width = max(shapes.values(), key=lambda shape: shape[1])
        raise DataError(
            f"the result of {width} x {height} pixels needs {needed / 1e9:.0f} GB, more than there is memory"
        )
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


def _host_memory() -> float:
    """Bytes of memory of this machine, as far as it tells."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")
