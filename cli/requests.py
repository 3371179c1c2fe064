"""What may be asked of every task: the options of ``predict`` and ``evaluate`` that no family brings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from restore.core.settings import Settings

Device = Literal["auto", "cpu", "cuda", "mps"]


class PredictRequest(Settings):
    """Options of ``restore predict``."""

    output: Path
    """Folder for the pictures; each is written as <name>.png."""
    tile: Literal["auto", "off"] | Annotated[int, Field(ge=16)] = "auto"
    """Edge in pixels of the tiles that a large picture is cut into; off: never cut; auto: where memory asks for it."""
    device: Device = "auto"
    """Where to compute."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32"
    """Arithmetic; all but fp32 are less exact and on some machines faster; auto: bf16 where it is measured to be."""
    overwrite: bool = False
    """Replace pictures that are there already."""


class EvaluateRequest(Settings):
    """Options of ``restore evaluate``."""

    data: Path | None = None
    """Folder of pictures to measure on; unset: the embedded sample of the family, which a run that was trained
    on other data refuses."""
    protocol: str | None = None
    """Way of measuring; unset: the first one of the task. 'restore show TASK' lists them."""
    device: Device = "auto"
    """Where to compute."""
