"""Damaged files never bring the tool down: one message for each, in time, within memory, and the others are used.

The default tests try a few; the slow ones try thousands, in fresh processes: `python tests/hostile/fuzz.py --help`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import fuzz
from hostile.commands import run
from hostile.folders import check_folders
from hostile.image_seeds import seeds
from hostile.images import check_images
from hostile.weights import check_weights

Check = Callable[[range, int, Path], list[str]]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="time and memory are limited as POSIX has it")


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_sound_files_of_which_damaged_ones_are_made_are_read(tmp_path: Path) -> None:
    for number, (suffix, data) in enumerate(seeds()):
        (tmp_path / f"{number:02}.{suffix}").write_bytes(data)
    outcome = run(["predict", "nearest", tmp_path, "--scale", "1", "--output", tmp_path / "out"])
    refused = [line for line in outcome.err.splitlines() if line.startswith("Error: /")]
    assert [line for line in refused if "has signed 16-bit values" not in line] == []
    assert len(list((tmp_path / "out").iterdir())) == len(seeds()) - len(refused)


@pytest.mark.parametrize(
    ("check", "count"),
    [(check_images, 40), (check_weights, 4), (check_folders, 3)],
    ids=["images", "weights", "folders"],
)
def test_a_few_damaged_files_bring_nothing_down(check: Check, count: int, tmp_path: Path) -> None:
    assert check(range(count), 0, tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
@pytest.mark.parametrize(("part", "count"), [("images", 3000), ("weights", 500), ("folders", 300)])
def test_thousands_of_damaged_files_bring_nothing_down(part: str, count: int, tmp_path: Path) -> None:
    assert fuzz.run_all(part, count, seed=20, folder=tmp_path) == []
