"""Settings of ``restore mos make``. Imports no torch and no numpy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from restore.core.settings import Settings


class MakeSettings(Settings):
    """The page is one file that asks nobody for anything: mail it, or open it on several machines.

    Each folder of --inputs holds the results of one method, under the same names of images; the folder's name is the
    name of the method, which observers do not see. Every observer gets an order of their own. What they save is scored
    with: restore mos score FILE…
    """

    inputs: tuple[Path, ...] = ()
    """Folder with the results of one method; at least one is needed."""
    reference: Path | None = None
    """Folder with the originals. They are rated too, without a mark: the hidden reference."""
    method: Literal["single", "double", "pairs"] = "single"
    """One image at a time, rated 1 to 5; each beside the reference, rated by its impairment; or two, of which observers
    choose the better one."""
    output: Path = Path("study.html")
    """The page to write."""
    title: Annotated[str, Field(min_length=1, max_length=200)] = "Image quality"
    """Heading of the page; observers read it."""
    training: Annotated[int, Field(ge=0, le=100)] = 3
    """Presentations for practice at the beginning, whose answers do not count."""
    training_image: tuple[str, ...] = ()
    """Name of an image that is used for practice alone. Unset: practice shows images of the test."""
    repeats: Annotated[int, Field(ge=0)] | None = None
    """Presentations that come twice, to tell how consistent an observer is. Unset: a tenth of them."""
    seed: int = 0
    """Changes the order of every observer."""
    post: str | None = None
    """Where the page also sends the answers: /answers for mos collect, or the address of a server. It may then connect
    to that and nothing else."""
    max_megabytes: Annotated[int, Field(ge=1)] = 100
    """Refuse a larger page; browsers of phones fail with some hundreds of megabytes."""
    overwrite: bool = False
    """Replace an existing page."""

    @field_validator("post")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        host, path = r"https?://[A-Za-z0-9.\-:\[\]]+", r"(/[A-Za-z0-9.\-_~%]+)+/?"
        if value is not None and not re.fullmatch(rf"({host})?{path}|{host}/?", value):
            raise ValueError("expected /answers, or an address such as https://example.org/answers without a query")
        return value
