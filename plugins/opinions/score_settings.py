"""Settings of ``restore mos score``. Imports no torch and no numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from restore.core.settings import Flag, Positional, Settings


class ScoreSettings(Settings):
    """Prints what observers think of each method, with the rule of every number.

    Scores of single and double stimulus give means, differences to the hidden
    reference and the bias of each observer; preferences give a Bradley-Terry scale. A file that cannot be read is named
    and left out, and the exit status is then 1.
    """

    files: Annotated[tuple[Path, ...], Positional("FILE…"), Field(min_length=1)]
    """Files that observers saved, of one study; a folder stands for all its .json files."""
    screen: Literal["bt500", "pearson", "none"] = "bt500"
    """Rule that rejects observers: ITU-R BT.500, the correlation of ITU-T P.913, or none. Preferences have no rule."""
    interval: Literal["student", "normal"] = "student"
    """Factor of 95 % intervals: Student t, right for few observers, or 1.96 as in ITU-R BT.500."""
    metrics: Path | None = None
    """Table of metrics, such as the one of evaluate --csv: columns image, of, metric and value."""
    figure: Path | None = None
    """Draw means and intervals of the methods into this SVG file."""
    overwrite: bool = False
    """Replace an existing figure."""
    as_json: Annotated[bool, Flag("--json")] = False
    """Print one JSON object with all numbers, those of each image and each observer included."""
