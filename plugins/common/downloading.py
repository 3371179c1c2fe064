"""Fetch one published file: say how large it is, show how far it is, and give up early on a dead network."""

from __future__ import annotations

import hashlib
import re
import sys
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from restore.core.errors import RestoreError
from restore.core.writing import replacing, writable_folder

_PATIENCE = 10.0
"""Seconds without a byte after which the network counts as dead."""


def download(url: str, path: Path, *, patience: float = _PATIENCE) -> Path:
    """Fetch ``url`` into the file ``path``, whole or not at all, and return the path.

    A file name such as ``vgg19-dcbb9e9d.pth`` promises the first digits of the file's SHA-256, which are checked.
    Raises RestoreError when the network is silent for ``patience`` seconds, refuses, or delivers something else.
    """
    writable_folder(path.parent)
    with replacing(path) as temporary:
        try:
            digest = _fetch(url, temporary, path, patience)
        except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it is the answer itself, with its connection
            raise _failure(url, path, str(getattr(error, "reason", error) or type(error).__name__)) from error
        promised = re.search(r"-([0-9a-f]{8,})\.", path.name)
        if promised and not digest.startswith(promised[1]):
            raise _failure(url, path, "what arrived is not the published file: its checksum is wrong")
    return path


def _fetch(url: str, temporary: Path, path: Path, patience: float) -> str:
    """Fetch into a temporary file what will be ``path``; its SHA-256."""
    with urllib.request.urlopen(url, timeout=patience) as answer, temporary.open("wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        told = f"{size / 2**20:.0f} MB" if size else "size unknown"
        print(f"Downloading {url} ({told}) to {path}", file=sys.stderr, flush=True)
        digest, received = _copy(answer, file, path.name, size)
    if size and received != size:
        raise _failure(url, path, f"the connection ended after {received} of {size} bytes")
    return digest


def _copy(source: IO[bytes], file: IO[bytes], title: str, size: int) -> tuple[str, int]:
    """Copy everything with a progress bar; the SHA-256 and the number of bytes."""
    digest, received = hashlib.sha256(), 0
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(title, total=size or None)
        while block := source.read(2**18):
            file.write(block)
            digest.update(block)
            received += len(block)
            progress.update(bar, completed=received)
    return digest.hexdigest(), received


def _failure(url: str, path: Path, reason: str) -> RestoreError:
    return RestoreError(f"{url} could not be downloaded: {reason}. A copy from another machine may be put at {path}")
