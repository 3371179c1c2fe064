"""Finished rows of the outputs, band by band, from tiles.

Tiles are computed row by row. When a row of tiles is done, all pixels above the next one's cross-fade are final; they
leave as a band, and the few rows that fade into the next tiles stay. Memory holds the height of one row of tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from restore.core.dataset import Batch
from restore.core.errors import RestoreError
from restore.core.inference.canvas import Canvas, exact_scale
from restore.core.inference.tiles import TileSpan, blend_weights, fade_width, tile_spans
from restore.core.networks import Networks
from restore.core.runtime.precision import autocast

Progress = Callable[[int, int], None]


class NotFinite(RestoreError):
    """The networks produced NaN or infinite values."""


@dataclass(frozen=True)
class Band:
    """Finished rows of all outputs."""

    rows: slice
    """Rows of the main input; those of the last band may reach into the padding."""
    outputs: dict[str, Tensor]
    """Rows (C, h, W) of each output, without padding."""


@dataclass(frozen=True)
class Compute:
    """How tiles are computed."""

    networks: Networks
    device: torch.device
    precision: str


def compute_tiles(canvas: Canvas, edge: int | None, compute: Compute, progress: Progress) -> Iterator[Band]:
    """Compute all tiles; yield the bands from the first row to the last.

    Args:
        canvas: the inputs.
        edge: edge of a tile in pixels, without its halo; None: the whole image at once.
        compute: networks, device and precision.
        progress: called with the number of finished tiles and their total.
    """
    edge = edge or max(canvas.height, canvas.width)
    rows = tile_spans(canvas.height, edge, canvas.halo, canvas.step)
    columns = tile_spans(canvas.width, edge, canvas.halo, canvas.step)
    blended = canvas.method.tiling.mode == "blend"
    fades = tuple(fade_width(pieces, canvas.halo) if blended else 0 for pieces in (rows, columns))
    pending = _Pending(canvas)
    for number, row in enumerate(rows):
        pending.extend(row.seen_stop)
        for place, column in enumerate(columns):
            predicted = _predict_tile(canvas, compute, row, column)
            for name, spec in canvas.method.outputs.items():
                # Class indices cannot be averaged, so planes that are not smooth are never cross-faded.
                fade, scale = fades if spec.smooth else (0, 0), exact_scale(spec)
                down = blend_weights(row, canvas.height, fade[0], scale)
                right = blend_weights(column, canvas.width, fade[1], scale)
                pending.add(name, predicted[name], down, right, row.seen_start, int(column.seen_start * scale))
            progress(number * len(columns) + place + 1, len(rows) * len(columns))
        below = rows[number + 1].start - (fades[0] + 1) // 2 if number + 1 < len(rows) else canvas.height
        yield from pending.leave(
            below // canvas.step * canvas.step
        )  # no name keeps the band while the next is computed


def _predict_tile(canvas: Canvas, compute: Compute, row: TileSpan, column: TileSpan) -> dict[str, Tensor]:
    """Predict one tile; return tensors (C, H, W) on the host."""
    seen = slice(row.seen_start, row.seen_stop), slice(column.seen_start, column.seen_stop)
    batch: Batch = {name: canvas.window(name, *seen)[None].to(compute.device) for name in canvas.method.inputs}
    with torch.inference_mode(), autocast(compute.device, compute.precision):
        predicted = canvas.method.predict(batch, compute.networks)
    tile = {}
    for name, spec in canvas.method.outputs.items():
        scale = exact_scale(spec)
        height, width = (int((part.stop - part.start) * scale) for part in seen)
        wanted = (1, spec.channels, height, width)
        has = tuple(predicted[name].shape) if name in predicted else None
        if has != wanted:
            predictor = type(canvas.method).__name__
            raise RestoreError(f"{predictor} declares an output {name!r} of shape {wanted} here and predicted {has}")
        tile[name] = predicted[name][0].float().cpu()
        if not torch.isfinite(tile[name]).all():
            raise NotFinite("the networks produced NaN or infinite values")
    return tile


class _Pending:
    """Rows of the outputs that are not final yet, sums of weighted tiles."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._start = self._stop = 0  # rows of the main input
        self._sums = {name: torch.zeros(0) for name in canvas.method.outputs}

    def extend(self, stop: int) -> None:
        """Add empty rows down to row ``stop`` of the main input."""
        for name, spec in self._canvas.method.outputs.items():
            channels, _, width = self._canvas.shape_of(spec)
            rows = self._canvas.rows_of(spec, slice(self._start, stop))
            sums = torch.zeros(channels, rows.stop - rows.start, width)
            kept = self._sums[name]
            if kept.numel():
                sums[:, : kept.shape[1]] = kept
            self._sums[name] = sums
        self._stop = stop

    def add(self, name: str, tile: Tensor, down: Tensor, right: Tensor, seen_start: int, left: int) -> None:
        """Add a tile (C, h, w), weighted by row (h,) and column weights (w,).

        Args:
            name: name of the output.
            tile: its values.
            down: weights of its rows.
            right: weights of its columns.
            seen_start: first row of the tile in the main input.
            left: first column of the tile in the output.
        """
        rows, columns = _counting(down), _counting(right)
        spec = self._canvas.method.outputs[name]
        top = int(seen_start * exact_scale(spec)) - int(self._start * exact_scale(spec))
        # The outputs have the size of the image; the result for the padding is cut off.
        target = self._sums[name][:, top + rows.start : top + rows.stop, left + columns.start : left + columns.stop]
        height, width = target.shape[-2:]
        rows = slice(rows.start, rows.start + height)
        columns = slice(columns.start, columns.start + width)
        target += tile[:, rows, columns] * (down[rows, None] * right[columns])

    def leave(self, stop: int) -> Iterator[Band]:
        """Yield the rows above row ``stop`` of the main input, which are final, if there are any."""
        if stop <= self._start:
            return
        rows, outputs = slice(self._start, stop), {}
        for name, spec in self._canvas.method.outputs.items():
            own = self._canvas.rows_of(spec, rows)
            outputs[name] = self._sums[name][:, : own.stop - own.start]
            self._sums[name] = self._sums[name][:, own.stop - own.start :].clone()
        self._start = stop
        band = [Band(rows, outputs)]
        del outputs, own
        yield band.pop()


def _counting(shares: Tensor) -> slice:
    """Return the range in which the weights (N,) are not zero."""
    (places,) = shares.nonzero(as_tuple=True)
    return slice(int(places[0]), int(places[-1]) + 1)
