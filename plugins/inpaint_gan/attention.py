"""Contextual attention: draw what is missing with patches from elsewhere (Yu et al., 2018, section 4).

The paper compares 3x3 patches and pastes overlapping larger ones, by convolutions whose kernels are those patches. Here
both are done with single places instead. The likeness of two patches is the sum of the likenesses of their places, so a
product of all places with all places, summed along its diagonals, is the same as comparing patches, at a ninth of the
multiplications. In the same way the weights with which patches overlap at a pixel are diagonal sums of the attention,
and one product with the pixels does the pasting, at a quarter of them.
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
from restore.plugins.inpaint_gan.blocks import continued

BLOCK = 2**24
"""How many scores are computed at once: those of several samples, or of some rows of one, nine at least. 64 MiB."""
HALO = 3
"""Rows on either side that decide over a row: one for comparing patches, one for fusing, one for overlapping."""


@dataclass(frozen=True)
class Attention:
    """How contextual attention compares and pastes; call it with features and holes. Nothing in it learns."""

    rate: int = 2
    """Features are compared on a grid this much coarser, and pasted in patches of twice as many pixels a side."""
    softmax_scale: float = 10.0
    """Factor of the scores before the softmax: the larger, the more a single patch decides."""
    fuse: bool = True
    """Whether neighbors that point at neighbors support each other (the paper's attention propagation)."""
    published: bool = False
    """Compute as the published code does, for its weights. It lets patches that touch the hole take a share of the
    softmax, sees the hole at every 4 * rate-th pixel only, darkens the border, where fewer patches overlap, and fuses
    the end of each row and column with the start of the next. Needs memory for all scores of a sample at once."""

    def __call__(self, features: Tensor, hole: Tensor) -> Tensor:
        """Features (B, C, h, w) drawn anew from patches outside each sample's own hole; the same shape.

        ``hole`` (B, 1, H, W) is 1 where a pixel is missing, at the features' or the image's size. A patch that
        touches the hole is never pasted. Where all of a sample's do, those that touch it least stand in.

        However large the batch and the image, only so many scores are in memory at once, in training too; see BLOCK.
        """
        with torch.autocast(device_type=features.device.type, enabled=False):
            return self._drawn(at_least_float32(features), hole)

    def _drawn(self, features: Tensor, hole: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        x = continued(features, height + -height % self.rate, width + -width % self.rate)
        rows, columns = x.shape[-2] // self.rate, x.shape[-1] // self.rate
        usable = self._usable(hole, (height, width), (rows, columns))
        blocks = _blocks(len(x), rows, columns, whole=self.published)
        parts: dict[int, list[Tensor]] = {}
        for samples, span in blocks:
            arguments = (x[samples], usable[samples], span.start, span.stop)
            if len(blocks) > 1 and torch.is_grad_enabled():
                part = checkpoint(self._pasted, *arguments, use_reentrant=False, preserve_rng_state=False)
            else:
                part = self._pasted(*arguments)
            parts.setdefault(samples.start, []).append(part)
        drawn = torch.cat([torch.cat(of_samples, dim=2) for of_samples in parts.values()])
        return drawn[..., :height, :width]

    def _usable(self, hole: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
        """Which places of the grid (B, 1, 1, rows, columns) have a patch that may be pasted."""
        if self.published:
            return F.max_pool2d(F.interpolate(hole, grid), 3, stride=1, padding=1)[:, None] == 0
        cells = F.adaptive_max_pool2d((hole > 0).to(torch.float32), size)
        cells = F.max_pool2d(continued(cells, grid[0] * self.rate, grid[1] * self.rate), self.rate)
        shares = F.avg_pool2d(cells, 3, stride=1, padding=1, count_include_pad=False)[:, None]
        return shares <= shares.amin(dim=(-2, -1), keepdim=True) + 1e-6

    def _pasted(self, x: Tensor, usable: Tensor, first: int, last: int) -> Tensor:
        """Rows ``first`` to ``last`` of the grid, at full size: (B, C, (last - first) * rate, width)."""
        grid = x[..., :: self.rate, :: self.rate]
        above, below = max(0, first - HALO), min(grid.shape[-2], last + HALO)
        scores = self._scores(grid, above, below)
        if self.published:
            attention = _softmax(scores * usable) * usable
        else:
            attention = _softmax(scores.masked_fill(~usable, -torch.inf))
        return self._overlapped(attention, x, slice(first - above, last - above))

    def _scores(self, grid: Tensor, above: int, below: int) -> Tensor:
        """Likeness (B, i, j, k, l) of the patch at row i, counted from ``above``, and column j to that at k and l."""
        columns = grid.shape[-1]
        places = torch.bmm(grid[:, :, above:below].flatten(2).mT, grid.flatten(2))
        scores = rearrange(places, "b (i j) (k l) -> b i j k l", j=columns, l=columns)
        scores = diagonal_sum(diagonal_sum(scores, 2), 1)
        # The patch that is looked for keeps its length, as in the published code: it acts like the scale.
        squares = 9 * F.avg_pool2d(grid.square().sum(dim=1, keepdim=True), 3, stride=1, padding=1)
        squares = squares + 9e-4 * grid.shape[1] if self.published else squares.clamp_min(1e-8)
        scores = scores * (self.softmax_scale / squares.sqrt())[:, None]
        if not self.fuse:
            return scores
        return _fused_across_borders(scores) if self.published else diagonal_sum(diagonal_sum(scores, 2), 1)

    def _overlapped(self, attention: Tensor, x: Tensor, kept: slice) -> Tensor:
        """The mean of the patches that overlap at each pixel of the ``kept`` rows of attention, weighted by it."""
        cells = rearrange(x, "b c (k m) (l n) -> b k l m n c", m=self.rate, n=self.rate)
        stripes = []
        for row_steps, within_rows in self._overlaps():
            by_rows = diagonal_sum(attention, 1, row_steps)[:, kept]
            pieces = []
            for column_steps, within_columns in self._overlaps():
                weights = diagonal_sum(by_rows, 2, column_steps)
                pixels = cells[..., within_rows, within_columns, :]
                sums = torch.bmm(weights.flatten(3).flatten(1, 2), pixels.flatten(3).flatten(1, 2))
                # What would come from outside the image has no weight, so that the border is as bright as the rest.
                total = 4 if self.published else weights.sum(dim=(3, 4)).flatten(1, 2)[..., None]
                pieces.append((sums / total).reshape(*weights.shape[:3], *pixels.shape[3:]))
            stripes.append(torch.cat(pieces, dim=4))
        return rearrange(torch.cat(stripes, dim=3), "b i j m n c -> b c (i m) (j n)")

    def _overlaps(self) -> Iterator[tuple[tuple[int, int], slice]]:
        """The two patches that lie over a pixel of a cell along one axis, by the pixel's place in the cell.

        Patches are two cells long and begin half a cell before theirs: the first half of a cell also lies under the
        patch before, the second under the one after.
        """
        middle = self.rate - self.rate // 2
        yield (0, -1), slice(0, middle)
        if middle < self.rate:
            yield (0, 1), slice(middle, self.rate)


def diagonal_sum(x: Tensor, axis: int, steps: Sequence[int] = (-1, 0, 1)) -> Tensor:
    """Add to each pair of places the pairs one step on, in both: y[p, q] = sum over steps of x[p + step, q + step].

    ``x`` (B, i, j, k, l) holds pairs of places (i, j) and (k, l); axis 1 moves along i and k, axis 2 along j and l.
    Pairs that would lie outside count as zero.
    """
    total: Tensor = _DiagonalSum.apply(x, axis, tuple(steps))
    return total


class _DiagonalSum(torch.autograd.Function):
    """A sum whose gradient is a sum: written with slices, it would copy the whole gradient for each of them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int, steps: tuple[int, ...]) -> Tensor:
        ctx.axis, ctx.steps = axis, steps
        total = x.clone() if 0 in steps else torch.zeros_like(x)
        for step in steps:
            if step:
                _shifted(total, axis, -step).add_(_shifted(x, axis, step))
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        return diagonal_sum(gradient, ctx.axis, [-step for step in ctx.steps]), None, None


def _shifted(x: Tensor, axis: int, step: int) -> Tensor:
    """The pairs that have one ``step`` before them, along both axes."""
    for of_pair in (axis, axis + 2):
        length = max(0, x.shape[of_pair] - abs(step))
        x = x.narrow(of_pair, max(0, step) if length else 0, length)
    return x


def _fused_across_borders(scores: Tensor) -> Tensor:
    """Fuse along rows and then columns as if each went on at the start of the next."""
    rows, columns = scores.shape[1:3]
    flat = rearrange(scores, "b i j k l -> b (i j) 1 (k l) 1")
    flat = rearrange(diagonal_sum(flat, 1), "b (i j) 1 (k l) 1 -> b (j i) 1 (l k) 1", i=rows, k=rows)
    return rearrange(diagonal_sum(flat, 1), "b (j i) 1 (l k) 1 -> b i j k l", j=columns, l=columns)


def _softmax(scores: Tensor) -> Tensor:
    """Shares (B, i, j, k, l) that sum to one over k and l."""
    return scores.flatten(3).softmax(dim=3).reshape(scores.shape)


def _blocks(samples: int, rows: int, columns: int, whole: bool) -> list[tuple[slice, range]]:
    """Cut a batch into blocks of about BLOCK scores: which samples, and which rows of their grid."""
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
