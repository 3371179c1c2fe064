"""Write an image file row by row while the rows are still being computed.

A thread compresses and writes; zlib and the file system need no interpreter, so they overlap with the computation. The
queue between both is short: computation waits when the disk is slow, and memory holds a few strips only. The file gets
its name when it is complete (see `atomic_write`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Literal, Self

from restore.core.atomic import atomic_write
from restore.core.images.jpeg_rows import encode_jpeg
from restore.core.images.png_rows import encode_png
from restore.core.images.row_format import Levels, RowFormat, Strips
from restore.core.images.tiff_rows import encode_tiff

Format = Literal["png", "tiff", "jpeg"]

ENCODERS: dict[Format, Callable[[Path, RowFormat, Strips], None]] = {
    "png": encode_png,
    "tiff": encode_tiff,
    "jpeg": encode_jpeg,
}
_WAITING = 2  # strips


class StreamedFile:
    """An image file that grows by rows. Leaving the ``with`` block without `close` discards it.

    Args:
        path: the file.
        form: size, depth and metadata.
        kind: format of the file.
    """

    def __init__(self, path: Path, form: RowFormat, kind: Format = "png") -> None:
        self._path, self._form, self._encode = path, form, ENCODERS[kind]
        self._strips: Queue[Levels | None] = Queue(_WAITING)
        self._complete = self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"write {path.name}", daemon=True)
        self._thread.start()

    def write(self, rows: Levels) -> None:
        """Append rows (h, W, C). Raises the error that stopped writing, if there was one."""
        if self._error is not None:
            raise self._error
        self._strips.put(rows)

    def close(self) -> None:
        """Finish the file and give it its name. Raises the error if that fails."""
        self._complete = True
        self._end()
        if self._error is not None:
            raise self._error

    def discard(self) -> None:
        """Remove what was written, unless the file is complete."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.discard()

    def _end(self) -> None:
        if self._thread.is_alive():
            self._strips.put(None)
            self._thread.join()

    def _run(self) -> None:
        try:
            with atomic_write(self._path) as temporary:
                self._encode(temporary, self._form, self._until_the_end())
        except _Discarded:
            pass
        except BaseException as error:  # noqa: BLE001  # raised where rows are written
            self._error = error
            for _ in self._rest():  # or the computation would wait for a place in the queue
                pass

    def _rest(self) -> Strips:
        while not self._ended:
            rows = self._strips.get()
            if rows is None:
                self._ended = True
            else:
                yield rows

    def _until_the_end(self) -> Strips:
        yield from self._rest()
        if not self._complete:
            raise _Discarded


class _Discarded(Exception):
    """The file is not wanted any more."""
