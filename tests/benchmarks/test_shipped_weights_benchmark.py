"""``benchmarks/shipped_weights.py``: it measures a folder of pairs, and draws a sheet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image

from restore.core.images.files import write_image


@pytest.fixture(scope="module")
def benchmark(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("shipped_weights")


def test_a_folder_is_measured_clean_and_compressed(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, side in (("LR", 20), ("HR", 80)):
        (tmp_path / name).mkdir()
        write_image(tmp_path / name / "a.png", torch.rand(3, side, side, generator=torch.Generator().manual_seed(0)))
    benchmark.main(["--data", str(tmp_path), "--threads", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[2] for line in lines[2:4]] == ["clean", "JPEG 40"]
    assert "s a megapixel, 1 threads" in lines[-1]


def test_the_sheet_compares_both_inputs(benchmark: ModuleType, tmp_path: Path) -> None:
    benchmark.main(["--sheet", str(tmp_path / "sheet.png"), "--threads", "1"])
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (3 * 256 + 2 * 4, 2 * 216 + 4)
