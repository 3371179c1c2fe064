"""Keep libtiff, which Pillow decodes TIFF files with, from writing its own lines on standard error. Imports no torch.

What is wrong with a file is told in one message; libtiff's lines name neither the file nor a remedy.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def silence_libtiff() -> None:
    """Remove the functions with which libtiff prints errors and warnings.

    The library is looked for among those that this process has loaded, where the system lists them. If it is part of
    another library, or the system lists nothing, its lines are shown.
    """
    try:
        mapped = Path("/proc/self/maps").read_text("utf-8", "surrogateescape")
    except OSError:
        return
    places = {line.partition("/")[2] for line in mapped.splitlines() if "libtiff" in line.rpartition("/")[2]}
    for place in places:
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(f"/{place}")
            library.TIFFSetErrorHandler(None)
            library.TIFFSetWarningHandler(None)
