"""Take in the files and fields of a form, within limits and into a folder of their own."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from restore.core.errors import DataError, UsageError
from restore.core.images.files import image_size
from restore.core.images.listing import SUFFIXES

MULTIPART = "multipart/form-data"

MOST_TEXT = 2**20
"""Bytes of a text field. Werkzeug reads 64 kB at a time and counts what it has not parsed yet too."""
MOST_PARTS = 200
LONGEST_NAME = 120


@dataclass(frozen=True)
class UploadLimits:
    """What a request may hold at most."""

    bytes: int
    """Of the whole request."""
    pixels: float
    """Of each image."""


@dataclass
class Upload:
    """What a form held."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    """Text fields by name."""
    files: dict[str, Path] = field(default_factory=dict)
    """Files by field; they lie in the folder of the upload."""
    names: dict[Path, str] = field(default_factory=dict)
    """What the client calls each file, cleaned."""


def clean_name(given: str) -> str:
    """Return the name of a file as a client gave it, without folders and without what names should not have."""
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in name if letter.isprintable() and letter not in '<>:"|?*').strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    suffix = suffix[:10]
    return f"{stem[: LONGEST_NAME - len(suffix)] or 'image'}{dot}{suffix}"


def receive_upload(environ: Mapping[str, Any], folder: Path, limits: UploadLimits) -> Upload:
    """Read a form of type ``multipart/form-data``; its files become files in ``folder``.

    Raises:
        HTTPException: the request is no such form, too large, or cut off.
    """
    kind, _ = parse_options_header(environ.get("CONTENT_TYPE"))
    if kind != MULTIPART:
        raise UnsupportedMediaType(f"send a form of type {MULTIPART} (got {kind or 'none'})")
    upload = Upload()
    streams: list[IO[bytes]] = []

    def open_stream(filename: str | None, **_: object) -> IO[bytes]:
        suffix = Path(clean_name(filename or "")).suffix.lower()
        path = folder / f"upload{len(streams)}{suffix if suffix in SUFFIXES else ''}"
        streams.append(path.open("wb+"))
        return streams[-1]

    parser = FormDataParser(
        stream_factory=open_stream,  # type: ignore[arg-type]  # the parser passes everything by name
        max_form_memory_size=MOST_TEXT,
        max_content_length=limits.bytes,
        max_form_parts=MOST_PARTS,
        silent=False,
    )
    try:
        _, form, files = parser.parse_from_environ(dict(environ))
    except RequestEntityTooLarge:
        raise RequestEntityTooLarge(
            f"the request is too large; this server takes {limits.bytes / 1e6:.0f} MB (--max-megabytes), and "
            f"{MOST_TEXT // 1024} kB of text in each of {MOST_PARTS} fields"
        ) from None
    except ValueError as error:
        raise BadRequest(f"the form cannot be read: {error}") from None
    finally:
        for stream in streams:
            stream.close()
    upload.texts = {name: list(values) for name, values in form.lists()}
    for name, given in files.items(multi=True):
        path = Path(str(given.stream.name))  # a file that open_stream made
        if not given.filename and not path.stat().st_size:
            continue  # a file field that was left empty
        if name in upload.files:
            raise BadRequest(f"{name}: one file a request; send the others in requests of their own")
        upload.files[name] = path
        upload.names[path] = clean_name(given.filename or name)
    return upload


def check_images(upload: Upload, limits: UploadLimits) -> None:
    """Look at the headers of all files.

    Raises UsageError or DataError for one that is no image or has too many pixels.
    """
    for path, name in upload.names.items():
        try:
            height, width = image_size(path)
        except (UsageError, DataError) as error:
            raise type(error)(str(error).replace(str(path), name)) from None
        if height * width > limits.pixels:
            raise DataError(
                f"{name}: too large: {width} x {height} pixels; this server takes {limits.pixels / 1e6:.0f} million "
                "(--max-megapixels)"
            )
