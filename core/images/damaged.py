"""Go on without the image files that cannot be read, where that is asked for. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from restore.core.errors import DataError
from restore.core.images.checking import check_file
from restore.core.images.opening import open_file

Item = TypeVar("Item")

_left_out: ContextVar[dict[Path, str] | None] = ContextVar("left_out", default=None)


@contextmanager
def leave_out_damaged() -> Iterator[dict[Path, str]]:
    """Within the block `drop_damaged` leaves files out; yields the message about each of them."""
    found: dict[Path, str] = {}
    token = _left_out.set(found)
    try:
        yield found
    finally:
        _left_out.reset(token)


def drop_damaged(items: Sequence[Item], files: Callable[[Item], Sequence[Path]]) -> list[Item]:
    """Return the items all of whose files have a readable header and an end.

    Outside a block of `leave_out_damaged`, and if no item were left, all are returned: whoever reads them raises the
    error.

    Args:
        items: files, or anything that stands for an image, such as a pair of files.
        files: returns the files of an item.
    """
    found = _left_out.get()
    if found is None:
        return list(items)
    messages: dict[Path, str] = {}
    usable = [item for item in items if not any(_is_damaged(path, messages) for path in files(item))]
    if not usable:
        return list(items)
    found |= messages
    return usable


def _is_damaged(path: Path, messages: dict[Path, str]) -> bool:
    try:
        check_file(path)
        with open_file(path):
            pass
    except DataError as error:
        messages[path] = str(error)
        return True
    return False
