"""Images made of bands of outputs, strip by strip, as `Method.render` makes them of whole outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from restore.core.errors import RestoreError
from restore.core.images.files import OutputImage
from restore.core.inference.bands import Band
from restore.core.inference.canvas import AUTO_PIXELS, Canvas, exact_scale, scale_side
from restore.core.specs import ImageSpec

Images = Mapping[str, Tensor | OutputImage]
Render = Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], Images]
Write = Callable[[str, OutputImage, tuple[int, int]], None]
"""Takes the name of an image, its next rows, and the height and width of all of it."""


class RenderedRows:
    """Renders bands and passes on the rows of each image; a receiver of `predict_rows`.

    Args:
        canvas: the inputs.
        render: `Method.render`.
        reach: `Method.pixel_reach`.
        write: called with successive rows of each image.
        most: rows of the main input that are rendered at once; None: as fit into memory.
    """

    def __init__(
        self, canvas: Canvas, render: Render, reach: int | None, write: Write, most: int | None = None
    ) -> None:
        self._canvas, self._render, self._write = canvas, render, write
        step = canvas.step
        self._reach = None if reach is None else math.ceil(reach / step) * step
        # Rendering makes several copies of its rows, so there are fewer of them than in a band.
        pixels = canvas.width * canvas.largest_scale**2
        fitting = canvas.height if canvas.height * pixels <= AUTO_PIXELS else int(AUTO_PIXELS / 4 / pixels)
        self._most = max(step, (most or fitting) // step * step)
        self._kept: dict[str, Tensor] = {}
        self._kept_from = self._known = self._done = 0  # rows of the main input

    def add(self, band: Band) -> None:
        """Take the next band; write all rows whose surroundings are known."""
        for name, rows in band.outputs.items():
            before = self._kept.get(name)
            self._kept[name] = rows if before is None or not before.shape[1] else torch.cat([before, rows], dim=1)
        self._known = band.rows.stop
        ended = self._known >= self._canvas.size[0]
        if self._reach is None:
            ready = self._known if ended else 0
        else:
            ready = self._known if ended else self._known - self._reach
        while self._done < ready:
            stop = ready if self._reach is None else min(self._done + self._most, ready)
            self._strip(slice(self._done, stop))
            self._done = stop
        self._forget()

    def _strip(self, rows: slice) -> None:
        """Render rows of the main input with their surroundings, and write the images without these."""
        reach = self._reach or 0
        seen = slice(max(0, rows.start - reach), min(rows.stop + reach, self._known))
        canvas, method = self._canvas, self._canvas.method
        outputs, inputs = {}, {}
        for name, spec in method.outputs.items():
            first = canvas.rows_of(spec, slice(0, self._kept_from)).stop
            place = canvas.rows_of(spec, seen)
            outputs[name] = self._kept[name][:, place.start - first : place.stop - first]
        for name, spec in method.inputs.items():
            place = canvas.rows_of(spec, seen)
            inputs[name] = canvas.readers[name].window(place, slice(0, canvas.shape_of(spec)[2]))
        for name, shown in self._render(outputs, inputs).items():
            image = shown if isinstance(shown, OutputImage) else OutputImage(shown)
            self._pass_on(name, image, rows, seen)

    def _pass_on(self, name: str, shown: OutputImage, rows: slice, seen: slice) -> None:
        canvas, (height, width) = self._canvas, shown.image.shape[-2:]
        if seen.start == 0 and seen.stop >= canvas.size[0] and rows == seen:
            self._write(name, shown, (height, width))  # of any size
            return
        spec = self._spec_of(height, width, seen)
        if spec is None:
            raise RestoreError(
                f"render() of {type(canvas.method).__name__} returns an image of {width} x {height} pixels for rows "
                "that no input or output has; set pixel_reach = None in its class if it needs the whole image"
            )
        first, own = canvas.rows_of(spec, seen).start, canvas.rows_of(spec, rows)
        _, *size = canvas.shape_of(spec)
        part = shown.image[:, own.start - first : own.stop - first]
        if part.shape[1]:
            self._write(name, shown.with_image(part), (size[0], size[1]))

    def _spec_of(self, height: int, width: int, seen: slice) -> ImageSpec | None:
        """Return an input or output that has the size of a rendered image."""
        canvas = self._canvas
        for spec in (*canvas.method.outputs.values(), *canvas.method.inputs.values()):
            place = canvas.rows_of(spec, seen)
            if (place.stop - place.start, scale_side(canvas.size[1], exact_scale(spec))) == (height, width):
                return spec
        return None

    def _forget(self) -> None:
        """Drop the rows that no further row needs."""
        start = max(0, self._done - (self._reach or 0))
        for name, spec in self._canvas.method.outputs.items():
            first = self._canvas.rows_of(spec, slice(0, self._kept_from)).stop
            place = self._canvas.rows_of(spec, slice(0, start)).stop
            self._kept[name] = self._kept[name][:, place - first :].clone()
        self._kept_from = start
