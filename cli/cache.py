"""The folders in which restore keeps what it can make again: converted checkpoints, graphs of networks."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from restore.cli.exit import print_warning
from restore.core.errors import RestoreError


def cache_folder(kind: Literal["converted", "graphs"]) -> Path:
    """Return the folder of a kind of files."""
    from platformdirs import user_cache_path

    return user_cache_path("restorekit", appauthor=False) / kind


def writable_cache(folder: Path, again: str) -> Path:
    """Return a folder of the cache, or one that lasts until the program ends if it cannot be written.

    Args:
        folder: the folder.
        again: what is done each time then, for the warning.
    """
    from restore.core.atomic import writable_folder

    try:
        return writable_folder(folder)
    except RestoreError as error:
        print_warning(f"{error}; {again}. XDG_CACHE_HOME chooses another folder")
    temporary = tempfile.mkdtemp(prefix="restore-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return Path(temporary)
