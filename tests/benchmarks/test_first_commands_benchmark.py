"""The benchmark of first commands: what it starts, and what it tells of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

NUMBERS = [("masked-psnr", "mean", 15.4918), ("masked-l1", "mean", 0.15), ("masked-psnr", "pretrain", None)]
SUMMARY = {"metrics": [{"name": name, "convention": "8-bit", "of": of, "value": value} for name, of, value in NUMBERS]}


@pytest.fixture(scope="module")
def benchmark(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("first_commands")


@pytest.fixture
def program(benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of ``restore``, which writes down how it was called and a run's summary, or fails."""
    path = tmp_path / "program.py"
    path.write_text(
        "import json, os, pathlib, sys\n"
        "typed = sys.argv[1:]\n"
        "run = pathlib.Path(typed[typed.index('--out') + 1], typed[typed.index('--name') + 1])\n"
        "if 'vae' in typed: sys.exit(3)\n"
        "run.mkdir(parents=True)\n"
        "(run / 'typed.json').write_text(json.dumps([typed, os.environ['OMP_NUM_THREADS']]))\n"
        f"(run / 'summary.json').write_text({json.dumps(SUMMARY)!r})\n",
        "utf-8",
    )
    monkeypatch.setattr(benchmark, "PROGRAM", (sys.executable, str(path)))
    return path


def test_a_row_has_the_first_metric_of_baselines_and_phases(
    benchmark: ModuleType, program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.exists()
    assert benchmark.main(["lbam", "--keep", str(tmp_path), "--threads", "1"]) == 0
    typed, threads = json.loads((tmp_path / "lbam" / "typed.json").read_text("utf-8"))
    assert typed[:6] == ["train", "lbam", "--epochs", "10", "--precision", "fp32"]
    assert threads == "1"
    heading, *_, row = capsys.readouterr().out.splitlines()
    assert heading.endswith("1 threads, fp32")
    assert row.startswith("| `restore train lbam --epochs 10` | ")
    assert row.endswith(" | masked-psnr (8-bit) | mean 15.49, pretrain none |")


def test_a_command_that_fails_is_told_and_the_others_still_run(
    benchmark: ModuleType, program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.exists()
    assert benchmark.main(["vae", "lbam", "--keep", str(tmp_path)]) == 1
    failed, done = capsys.readouterr().out.splitlines()[-2:]
    assert failed.endswith("| exit status 3 | |")
    assert "masked-psnr" in done


def test_a_task_that_has_no_first_command_is_refused(benchmark: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmark.main(["bicubic"])
    assert "bicubic is none of srgan, restorer" in capsys.readouterr().err
