"""The state of a run is read from its folder, without disturbing who trains it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from restore.core.errors import UsageError
from restore.core.runs.lock import RunLock, is_locked
from restore.core.runs.record import read_run
from restore.core.runs.sample_sheets import locate_cells, make_sheet, write_sheet
from restore.core.runs.sheet_cells import read_cells

HOLD = """
import sys
from pathlib import Path
from restore.core.runs.lock import RunLock
with RunLock() as lock:
    lock.acquire(Path(sys.argv[1]))
    print("locked", flush=True)
    sys.stdin.read()
"""


def make_run(folder: Path, *history: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump({"run": {"task": "toy/one"}, "epochs": 2}))
    lines = [json.dumps({"kind": kind, "at": "2026-01-01T00:00:00+00:00"}) for kind in history]
    (folder / "history.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return folder


@pytest.mark.parametrize(
    ("history", "state", "ending"),
    [
        (("started", "finished"), "finished", ""),
        (("started", "interrupted"), "stopped", "interrupted"),
        (("started",), "stopped", "killed, or ended by the machine"),
        (("started", "finished", "started"), "stopped", "killed, or ended by the machine"),
    ],
)
def test_the_state_follows_from_the_history(tmp_path: Path, history: tuple[str, ...], state: str, ending: str) -> None:
    run = read_run(make_run(tmp_path / "run", *history))
    assert (run.state, run.ending) == (state, ending)


def test_a_run_is_running_while_another_process_holds_its_lock(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", "started")
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        assert read_run(folder).state == "running"
        other.communicate("")
    assert read_run(folder).state == "stopped"


def test_asking_in_the_process_that_trains_does_not_end_its_lock(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", "started")
    with RunLock() as lock:
        lock.acquire(folder)
        assert is_locked(folder)
        taken = subprocess.run(
            [sys.executable, "-c", HOLD, str(folder)], input="", capture_output=True, text=True, check=False
        )
        assert "another process is training this run" in taken.stderr
    assert not is_locked(folder)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"contains no config\.yaml"):
        read_run(tmp_path)
    (tmp_path / "config.yaml").write_text("epochs: 3\n")
    with pytest.raises(UsageError, match="does not name its task"):
        read_run(tmp_path)


def test_a_sheet_tells_where_its_images_lie(tmp_path: Path) -> None:
    from PIL import Image

    rows = [
        [torch.zeros(1, 4, 4), torch.full((3, 8, 16), 0.2)],
        [torch.full((3, 500, 330), 0.4), torch.ones(1, 250, 100)],
    ]
    write_sheet(tmp_path / "sheet.png", make_sheet(rows), locate_cells(rows))
    with Image.open(tmp_path / "sheet.png") as sheet:
        cells = [[sheet.crop(box) for box in row] for row in read_cells(sheet)]
    assert [[cell.size for cell in row] for row in cells] == [[(8, 8), (16, 8)], [(320, 320), (200, 320)]]
    assert [[cell.getextrema()[0] for cell in row] for row in cells] == [
        [(0, 0), (51, 51)],
        [(102, 102), (255, 255)],
    ]
