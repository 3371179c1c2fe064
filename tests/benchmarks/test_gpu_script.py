"""The script for a machine with a GPU, tried on one without."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the script is written for bash")


@pytest.fixture(scope="module")
def prepare(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("gpu_prepare")


def script(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable, "CUDA_VISIBLE_DEVICES": "", **variables}
    command = ["bash", str(ROOT / "benchmarks" / "gpu.sh"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=3600)


def test_without_a_gpu_it_says_so_in_one_line(tmp_path: Path) -> None:
    done = script("--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert done.stderr.startswith("gpu.sh: no CUDA device: torch ")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_an_unknown_argument_is_wrong_usage() -> None:
    done = script("--gpu")
    assert (done.returncode, done.stderr) == (2, "gpu.sh: unknown argument '--gpu'; there are --cpu and --out DIR\n")


def test_missing_libraries_are_named(prepare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "_is_installed", lambda name: name not in ("pydantic", "pytest-timeout"))
    told = f"{sys.executable} lacks pydantic, pytest-timeout; pip install --target FOLDER pydantic pytest-timeout, and"
    assert prepare.missing().startswith(told)
    monkeypatch.setattr(prepare, "_is_installed", lambda name: name not in ("accelerate", "einops"))
    both = "pip install --target FOLDER einops and pip install --no-deps --target FOLDER accelerate"  # no other torch
    assert both in prepare.missing()
    monkeypatch.setattr(prepare, "_is_installed", lambda name: True)
    assert prepare.missing() is None


def test_the_tree_can_be_used_without_an_installer(prepare: ModuleType, tmp_path: Path) -> None:
    for _ in range(2):  # links of an earlier run are no obstacle
        prepare.link(tmp_path)
    assert sorted(path.name for path in (tmp_path / "restore").iterdir()) == ["cli", "core", "plugins", "registry"]
    (distribution,) = distributions(path=[str(tmp_path)])
    assert (distribution.metadata["Name"], distribution.version) == ("restorekit", prepare.project()["version"])
    assert any(line.startswith("torch>=") for line in distribution.requires or [])
    declared = {point.name: point.value for point in distribution.entry_points.select(group="restore.plugins")}
    assert declared == prepare.project()["entry-points"]["restore.plugins"]


def test_every_task_that_trains_is_a_step(
    load_benchmark: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = load_benchmark("gpu_steps")
    monkeypatch.setattr(sys, "argv", ["gpu_steps.py", "--device", "cpu", "tasks"])
    steps.main()
    tasks = capsys.readouterr().out.split()
    assert {"srgan/srgan", "vae/vae", "unet/nested-unet", "restorer/restorer"} <= set(tasks)
    assert not any(task.startswith("classic/") for task in tasks)


def test_the_table_has_a_row_for_every_step_and_measurement(prepare: ModuleType) -> None:
    rows: list[dict[str, Any]] = [
        {"step": "speed", "result": "passed", "seconds": 12},
        {"step": "plain loop", "images_per_second": 1234.567, "device_waits": 0.256, "peak_gib": None},
        {"step": "compile", "result": "out of time", "seconds": 90},
    ]
    assert prepare.table(rows) == [
        "| step | result | seconds | images/s | GPU waits |",
        "| --- | --- | --- | --- | --- |",
        "| speed | passed | 12 |  |  |",
        "| plain loop |  |  | 1234.57 | 26% |",
        "| compile | out of time | 90 |  |  |",
    ]


def test_a_gpu_is_busy_where_any_kernel_or_copy_runs(load_benchmark: Callable[[str], ModuleType]) -> None:
    meter = load_benchmark("gpu_meter")
    events = [
        {"cat": "kernel", "ts": 0, "dur": 10},
        {"cat": "kernel", "ts": 5, "dur": 10},  # overlaps
        {"cat": "gpu_memcpy", "ts": 6, "dur": 2},  # within
        {"cat": "cuda_runtime", "ts": 0, "dur": 1000},  # the CPU's
        {"cat": "gpu_memset", "ts": 100, "dur": 5},
        {"name": "process_name", "ph": "M"},
    ]
    assert meter.busy_seconds(events) == pytest.approx(20e-6)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_step_runs_on_the_cpu(tmp_path: Path) -> None:
    done = script("--cpu", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in (tmp_path / "out" / "rows.jsonl").read_text("utf-8").splitlines()]
    results = {row["step"]: row["result"] for row in rows if "result" in row}
    assert set(results.values()) == {"passed"}
    assert {"cuda tests", "two processes on one device", "speed", "compile", "srgan/srgan", "vae/vae"} <= set(results)
    rates = [row["images_per_second"] for row in rows if "images_per_second" in row]
    assert len(rates) >= 5 + len([step for step in results if "/" in step])
    assert min(rates) > 0
    assert (tmp_path / "out" / "table.md").read_text("utf-8").startswith("| step | result | seconds |")
