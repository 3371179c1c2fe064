"""The benchmark of data loading runs, and tells what part of its steps training waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def benchmark(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("data_loading")


def test_the_wait_is_a_share_of_the_steps(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = benchmark.draw_photographs(tmp_path / "photographs", 2, (160, 128))
    small = ["--model", '{"channels": 4, "blocks": 1}', "--steps", "3", "--workers", "0"]
    benchmark.main(["--folder", str(folder), *small])
    cell = benchmark.Cell(**json.loads(capsys.readouterr().out.splitlines()[-1]))
    assert (cell.form, cell.workers, cell.files) == ("photographs", 0, 2)
    assert cell.start > 0
    assert 0 < cell.waits < 1
    assert cell.step > 0
