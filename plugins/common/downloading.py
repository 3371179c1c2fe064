"""Download a published file: print its size, show progress, and give up if the network is silent."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from rich.console import Console
from rich.progress import wrap_file

from restore.core.atomic import atomic_write, writable_folder
from restore.core.errors import RestoreError

_PATIENCE = 10.0
"""Seconds without data after which the download fails."""


def download(url: str, path: Path, *, sha256: str | None = None, patience: float = _PATIENCE) -> Path:
    """Download ``url`` to ``path``, completely or not at all, and return the path.

    Raises RestoreError if the network is silent or refuses, or if the checksum is wrong.

    Args:
        url: address of the file.
        path: file to write; missing folders are created.
        sha256: checksum of the file; None checks the digits in a name such as ``vgg19-dcbb9e9d.pth``.
        patience: seconds without data after which the download fails.
    """
    try:
        writable_folder(path.parent)
    except RestoreError as error:
        raise type(error)(
            f"{error}. Choose another folder for downloaded weights with the environment variable TORCH_HOME, or put a "
            f"copy of {url} at {path}"
        ) from error
    with atomic_write(path) as temporary:
        try:
            _fetch(url, temporary, path, patience)
        except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # the error is the response and holds the connection
            raise _failure(url, path, str(getattr(error, "reason", error) or type(error).__name__)) from error
        in_name = re.search(r"-([0-9a-f]{8,})\.", path.name)
        promised = sha256 or (in_name[1] if in_name else "")
        with temporary.open("rb") as file:
            if not hashlib.file_digest(file, "sha256").hexdigest().startswith(promised):
                raise _failure(url, path, "what arrived is not the published file: its checksum is wrong")
    return path


def _fetch(url: str, temporary: Path, path: Path, patience: float) -> None:
    """Download to a temporary file that will become ``path``, with a progress bar on a terminal."""
    console = Console(stderr=True)
    with urllib.request.urlopen(url, timeout=patience) as answer, temporary.open("wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        shown = f"{size / 2**20:.0f} MB" if size else "size unknown"
        print(f"Downloading {url} ({shown}) to {path}", file=sys.stderr, flush=True)
        if size and console.is_terminal:
            with wrap_file(answer, size, description=path.name, console=console, transient=True) as source:
                shutil.copyfileobj(source, file)
        else:
            shutil.copyfileobj(answer, file)
        received = file.tell()
    if size and received != size:
        raise _failure(url, path, f"the connection ended after {received} of {size} bytes")


def _failure(url: str, path: Path, reason: str) -> RestoreError:
    return RestoreError(f"{url} could not be downloaded: {reason}. A copy from another machine may be put at {path}")
