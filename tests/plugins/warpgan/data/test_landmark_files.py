"""Landmark files of WebCaricature and lists of five points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from restore.core.errors import DataError, UsageError
from restore.plugins.warpgan.data.landmarks import LandmarkFolder, LandmarkList, five, read_landmarks

FIVE = np.array([[10.0, 20.0], [40.0, 21.0], [25.0, 35.0], [15.0, 50.0], [36.0, 51.0]])


def seventeen() -> np.ndarray:
    points = np.full((17, 2), -99.0)
    points[8:10] = [[5, 20], [15, 20]]
    points[10:12] = [[35, 21], [45, 21]]
    points[12], points[14], points[16] = FIVE[2], FIVE[3], FIVE[4]
    return points


def written(path: Path, points: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(f"{x} {y}" for x, y in points), encoding="utf-8")
    return path


def test_the_five_are_taken_from_seventeen() -> None:
    assert np.array_equal(five(seventeen(), "here"), FIVE)


def test_corners_of_the_mouth_are_put_in_order() -> None:
    swapped = seventeen()
    swapped[[14, 16]] = swapped[[16, 14]]
    assert np.array_equal(five(swapped, "here"), FIVE)


def test_a_file_lies_in_the_folder_of_its_person(tmp_path: Path) -> None:
    written(tmp_path / "Alan Rickman" / "C00001.txt", seventeen())
    folder = read_landmarks(tmp_path)
    assert np.array_equal(folder.of("Alan Rickman", Path("C00001.jpg")), FIVE)
    assert np.array_equal(folder.of("Alan_Rickman", Path("C00001.jpg")), FIVE)  # as renamed for list files


def test_five_points_in_a_file_are_taken_as_they_are(tmp_path: Path) -> None:
    written(tmp_path / "me.txt", FIVE)
    assert np.array_equal(LandmarkFolder(tmp_path).of("", Path("me.jpg")), FIVE)


def test_landmarks_beside_the_folders_of_people_are_of_no_person(tmp_path: Path) -> None:
    written(tmp_path / "P00001.txt", FIVE)
    (tmp_path / "list.txt").write_text(f"P00001.jpg {' '.join(str(value) for value in FIVE.flatten())}\n")
    for known in (LandmarkFolder(tmp_path), LandmarkList(tmp_path / "list.txt")):
        assert np.array_equal(known.of("", Path("P00001.jpg")), FIVE)
        for identity in ("Ann", "Bob"):
            with pytest.raises(UsageError, match="no landmarks"):
                known.of(identity, Path(identity) / "P00001.jpg")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"P00007.jpg: no landmarks found: .*Ann.P00007.txt does not exist"):
        LandmarkFolder(tmp_path).of("Ann", Path("Ann/P00007.jpg"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("1 2\n3 4\n", "2 points"), ("a b\n", "could not convert"), ("", "0 numbers"), ("1 2 nan 4", "finite")],
)
def test_a_file_that_holds_something_else_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "P1.txt").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        LandmarkFolder(tmp_path).of("", Path("P1.jpg"))
    assert "P1.txt" in str(caught.value)


def test_a_list_has_a_line_for_each_image(tmp_path: Path) -> None:
    numbers = " ".join(str(value) for value in FIVE.flatten())
    file = tmp_path / "landmarks.txt"
    file.write_text(f"# a comment\ndata/OriginalImages/Ann Lee/C1.jpg {numbers}\nP1.jpg {numbers}\n")
    known = read_landmarks(file)
    assert np.array_equal(known.of("Ann Lee", Path("elsewhere/C1.png")), FIVE)
    assert np.array_equal(known.of("", Path("P1.jpg")), FIVE)
    with pytest.raises(UsageError, match="has no line for it"):
        known.of("Ann Lee", Path("C2.png"))


def test_a_wrong_line_of_a_list_is_named(tmp_path: Path) -> None:
    file = tmp_path / "landmarks.txt"
    file.write_text("P1.jpg 1 2 3\n")
    with pytest.raises(DataError, match="line 1"):
        LandmarkList(file)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read_landmarks(tmp_path / "nothing")
