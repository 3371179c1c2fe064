"""Files of facial landmarks: a file per image with 17 points (WebCaricature), or a list with five points per line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from restore.core.atomic import reason
from restore.core.errors import DataError, UsageError
from restore.plugins.warpgan.data.alignment import Points

WEBCARICATURE = 17
"""Points in a file of WebCaricature (Huo et al., 2018): 9 and 10 are the corners of one eye, 11 and 12 those of the
other, 13 is the tip of the nose, 14 to 17 go around the mouth; 15 and 17 are its corners."""

FIVE = 5


class LandmarkFolder:
    """``FacialPoints/`` of WebCaricature: ``<identity>/<image>.txt`` with a line ``x y`` for each point.

    Files of five points are accepted too: left and right eye, tip of the nose, left and right corner of the mouth.
    """

    def __init__(self, folder: Path) -> None:
        """Raises UsageError if the folder does not exist."""
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder")
        self.folder = folder

    def of(self, identity: str, image: Path) -> Points:
        """Return the five landmarks (5, 2) of an image of a person, x and y in pixels.

        Raises UsageError if there is no file, DataError if it has other content.
        """
        spellings = dict.fromkeys([identity, identity.replace("_", " "), identity.replace(" ", "_")])
        # Files outside the folders of people are ignored, because every person has a P00001.
        places = [self.folder / name / f"{image.stem}.txt" for name in spellings]
        found = next((path for path in places if path.is_file()), None)
        if found is None:
            raise UsageError(f"{image}: no landmarks found: {places[0]} does not exist")
        return five(_numbers(found, _text(found)).reshape(-1, 2), str(found))


class LandmarkList:
    """A text file with a line per image: its path, then x and y of the five landmarks."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises UsageError if it does not exist, DataError for a wrong line."""
        self.file = file
        self._points: dict[tuple[str, ...], Points] = {}
        for number, line in enumerate(_text(file).splitlines(), start=1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            name, values = " ".join(words[: -2 * FIVE]), words[-2 * FIVE :]
            if not name:
                raise DataError(f"{file}, line {number}: expected a path and ten numbers, found {len(words)} words")
            points = _numbers(Path(f"{file}, line {number}"), " ".join(values)).reshape(-1, 2)
            self._points[_last_two(Path(name))] = points

    def of(self, identity: str, image: Path) -> Points:
        """Return the five landmarks (5, 2) of an image. Raises UsageError if no line names it."""
        # A line without a folder names an image outside the folders of people.
        for key in ((identity, image.stem), _last_two(image), *([] if identity else [("", image.stem)])):
            if key in self._points:
                return self._points[key]
        raise UsageError(f"{image}: no landmarks found: {self.file} has no line for it")


def read_landmarks(path: Path) -> LandmarkFolder | LandmarkList:
    """Read landmarks from a folder or a list file. Raises UsageError or DataError if they are unusable."""
    return LandmarkList(path) if path.is_file() else LandmarkFolder(path)


def five(points: Points, where: str) -> Points:
    """Return eyes, nose and corners of the mouth (5, 2) from 17 points of WebCaricature, or from these five.

    Left is the left side of an upright face. Raises DataError for any other number of points.
    """
    if len(points) == WEBCARICATURE:
        chosen = np.stack([points[8:10].mean(0), points[10:12].mean(0), points[12], points[14], points[16]])
    elif len(points) == FIVE:
        chosen = points.copy()
    else:
        raise DataError(f"{where}: {len(points)} points; expected 17 as in WebCaricature, or 5")
    across = chosen[1] - chosen[0]
    if (chosen[4] - chosen[3]) @ across < 0:
        chosen[[3, 4]] = chosen[[4, 3]]
    return chosen


def _last_two(path: Path) -> tuple[str, ...]:
    identity = path.parent.name
    return (identity, path.stem)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot read it: {reason(error)}") from error


def _numbers(where: Path, text: str) -> Points:
    try:
        numbers = np.array([float(word) for word in text.replace(",", " ").split()])
    except ValueError as error:
        raise DataError(f"{where}: {error}; expected x and y of each point") from error
    if len(numbers) % 2 or not len(numbers) or not np.isfinite(numbers).all():
        raise DataError(
            f"{where}: expected pairs of finite numbers (x and y of each point), found {len(numbers)} numbers"
        )
    return numbers
