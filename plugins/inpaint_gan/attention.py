"""Contextual attention: fill a hole with patches from elsewhere in the image (Yu et al., 2018, section 4).

The paper compares 3x3 patches and pastes larger overlapping ones with convolutions whose kernels are those patches.
This module works with single positions instead. The similarity of two patches is the sum of the similarities of their
positions. So one matrix product of all positions, summed along its diagonals, compares patches with a ninth of the
multiplications. In the same way, the weights of overlapping patches at a pixel are diagonal sums of the attention, and
one product with the pixels pastes them with a quarter of the multiplications.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from restore.core.runtime.precision import at_least_float32
from restore.plugins.inpaint_gan.blocks import pad_by_repeating

BLOCK = 2**24
"""Number of scores computed at once (64 MiB): those of several samples, or of at least nine rows of one."""
HALO = 3
"""Rows on either side that influence a row: one for comparing patches, one for fusing, one for overlapping."""


@dataclass(frozen=True)
class Attention:
    """Contextual attention; call it with features and masks. It has no parameters to learn."""

    rate: int = 2
    """Downscaling factor of the grid for comparisons; pasted patches have twice as many pixels a side."""
    softmax_scale: float = 10.0
    """Factor of the scores before the softmax; larger values favor a single patch."""
    fuse: bool = True
    """Attention propagation: neighboring patches with neighboring matches support each other."""
    published: bool = False
    """Compute as in the published code, for its weights. Patches that touch the hole take part in the softmax, the hole
    is sampled at every 4 * rate-th pixel, borders are darker because fewer patches overlap there, and the end of
    each row and column is fused with the start of the next. Needs memory for all scores of a sample at once."""

    def __call__(self, features: Tensor, hole: Tensor) -> Tensor:
        """Rebuild features (B, C, h, w) from patches outside the hole of each sample; returns the same shape.

        ``hole`` (B, 1, H, W) is 1 inside the hole, at the size of the features or of the image. Patches that touch the
        hole are never pasted; if all patches of a sample do, those that touch it least are used. Memory is limited for
        any batch and image size, in training too; see BLOCK.
        """
        with torch.autocast(device_type=features.device.type, enabled=False):
            return self._draw(at_least_float32(features), hole)

    def _draw(self, features: Tensor, hole: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        x = pad_by_repeating(features, height + -height % self.rate, width + -width % self.rate)
        rows, columns = x.shape[-2] // self.rate, x.shape[-1] // self.rate
        usable = self._usable(hole, (height, width), (rows, columns))
        blocks = _blocks(len(x), rows, columns, whole=self.published)
        parts: dict[int, list[Tensor]] = {}
        for samples, span in blocks:
            arguments = (x[samples], usable[samples], span.start, span.stop)
            if len(blocks) > 1 and torch.is_grad_enabled():
                part = checkpoint(self._paste, *arguments, use_reentrant=False, preserve_rng_state=False)
            else:
                part = self._paste(*arguments)
            parts.setdefault(samples.start, []).append(part)
        drawn = torch.cat([torch.cat(of_samples, dim=2) for of_samples in parts.values()])
        return drawn[..., :height, :width]

    def _usable(self, hole: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
        """Return which positions of the grid (B, 1, 1, rows, columns) have a patch that may be pasted."""
        if self.published:
            return F.max_pool2d(F.interpolate(hole, grid), 3, stride=1, padding=1)[:, None] == 0
        cells = F.adaptive_max_pool2d((hole > 0).to(torch.float32), size)
        cells = F.max_pool2d(pad_by_repeating(cells, grid[0] * self.rate, grid[1] * self.rate), self.rate)
        shares = F.avg_pool2d(cells, 3, stride=1, padding=1, count_include_pad=False)[:, None]
        return shares <= shares.amin(dim=(-2, -1), keepdim=True) + 1e-6

    def _paste(self, x: Tensor, usable: Tensor, first: int, last: int) -> Tensor:
        """Return rows ``first`` to ``last`` of the grid at full size: (B, C, (last - first) * rate, width)."""
        grid = x[..., :: self.rate, :: self.rate]
        above, below = max(0, first - HALO), min(grid.shape[-2], last + HALO)
        scores = self._scores(grid, above, below)
        if self.published:
            attention = _softmax(scores * usable) * usable
        else:
            attention = _softmax(scores.masked_fill(~usable, -torch.inf))
        return self._overlap_add(attention, x, slice(first - above, last - above))

    def _scores(self, grid: Tensor, above: int, below: int) -> Tensor:
        """Return the similarity (B, i, j, k, l) of the patch at row i (from ``above``) and column j to the one at k and
        l."""
        columns = grid.shape[-1]
        places = torch.bmm(grid[:, :, above:below].flatten(2).mT, grid.flatten(2))
        scores = rearrange(places, "b (i j) (k l) -> b i j k l", j=columns, l=columns)
        scores = diagonal_sum(diagonal_sum(scores, 2), 1)
        # The query patch is not normalized, as in the published code: its norm acts like the scale.
        squares = 9 * F.avg_pool2d(grid.square().sum(dim=1, keepdim=True), 3, stride=1, padding=1)
        squares = squares + 9e-4 * grid.shape[1] if self.published else squares.clamp_min(1e-8)
        scores = scores * (self.softmax_scale / squares.sqrt())[:, None]
        if not self.fuse:
            return scores
        return _fuse_across_borders(scores) if self.published else diagonal_sum(diagonal_sum(scores, 2), 1)

    def _overlap_add(self, attention: Tensor, x: Tensor, kept: slice) -> Tensor:
        """Return the attention-weighted mean of the patches that overlap at each pixel of the ``kept`` rows."""
        cells = rearrange(x, "b c (k m) (l n) -> b k l m n c", m=self.rate, n=self.rate)
        stripes = []
        for row_steps, within_rows in self._overlaps():
            by_rows = diagonal_sum(attention, 1, row_steps)[:, kept]
            pieces = []
            for column_steps, within_columns in self._overlaps():
                weights = diagonal_sum(by_rows, 2, column_steps)
                pixels = cells[..., within_rows, within_columns, :]
                sums = torch.bmm(weights.flatten(3).flatten(1, 2), pixels.flatten(3).flatten(1, 2))
                # Patches outside the image have no weight, so that borders are as bright as the rest.
                total = 4 if self.published else weights.sum(dim=(3, 4)).flatten(1, 2)[..., None]
                pieces.append((sums / total).reshape(*weights.shape[:3], *pixels.shape[3:]))
            stripes.append(torch.cat(pieces, dim=4))
        return rearrange(torch.cat(stripes, dim=3), "b i j m n c -> b c (i m) (j n)")

    def _overlaps(self) -> Iterator[tuple[tuple[int, int], slice]]:
        """Yield, along one axis, the two patches that cover a pixel of a cell, and the pixels that they cover.

        Patches are two cells long and begin half a cell before their own cell. So the first half of a cell is also
        covered by the previous patch, the second half by the next one.
        """
        middle = self.rate - self.rate // 2
        yield (0, -1), slice(0, middle)
        if middle < self.rate:
            yield (0, 1), slice(middle, self.rate)


def diagonal_sum(x: Tensor, axis: int, steps: Sequence[int] = (-1, 0, 1)) -> Tensor:
    """Sum pairs of positions along the diagonal: y[p, q] = sum over steps of x[p + step, q + step].

    Args:
        x: (B, i, j, k, l), values for pairs of positions (i, j) and (k, l).
        axis: 1 moves along i and k, 2 along j and l.
        steps: offsets; pairs outside count as zero.
    """
    total: Tensor = _DiagonalSum.apply(x, axis, tuple(steps))
    return total


class _DiagonalSum(torch.autograd.Function):
    """A sum whose gradient is such a sum too; with slices, autograd would copy the whole gradient for each of them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int, steps: tuple[int, ...]) -> Tensor:
        ctx.axis, ctx.steps = axis, steps
        total = x.clone() if 0 in steps else torch.zeros_like(x)
        for step in steps:
            if step:
                _shift(total, axis, -step).add_(_shift(x, axis, step))
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        return diagonal_sum(gradient, ctx.axis, [-step for step in ctx.steps]), None, None


def _shift(x: Tensor, axis: int, step: int) -> Tensor:
    """Return the pairs that have another one ``step`` before them along both axes."""
    for of_pair in (axis, axis + 2):
        length = max(0, x.shape[of_pair] - abs(step))
        x = x.narrow(of_pair, max(0, step) if length else 0, length)
    return x


def _fuse_across_borders(scores: Tensor) -> Tensor:
    """Fuse along rows, then columns, as if each continued at the start of the next."""
    rows, columns = scores.shape[1:3]
    flat = rearrange(scores, "b i j k l -> b (i j) 1 (k l) 1")
    flat = rearrange(diagonal_sum(flat, 1), "b (i j) 1 (k l) 1 -> b (j i) 1 (l k) 1", i=rows, k=rows)
    return rearrange(diagonal_sum(flat, 1), "b (j i) 1 (l k) 1 -> b i j k l", j=columns, l=columns)


def _softmax(scores: Tensor) -> Tensor:
    """Return weights (B, i, j, k, l) that sum to one over k and l."""
    return scores.flatten(3).softmax(dim=3).reshape(scores.shape)


def _blocks(samples: int, rows: int, columns: int, whole: bool) -> list[tuple[slice, range]]:
    """Divide a batch into blocks of about BLOCK scores: slices of samples and rows of their grid."""
    of_row = columns * rows * columns
    if whole or rows * of_row <= BLOCK:
        several = max(1, BLOCK // (rows * of_row))
        return [(slice(start, start + several), range(rows)) for start in range(0, samples, several)]
    step = max(HALO, BLOCK // of_row - 2 * HALO)
    return [
        (slice(sample, sample + 1), range(start, min(start + step, rows)))
        for sample in range(samples)
        for start in range(0, rows, step)
    ]
