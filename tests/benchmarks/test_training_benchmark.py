"""The benchmark of training runs, and every way has its time."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType

import pytest

SMALL = (
    "--model",
    '{"channels": 2, "blocks": 1}',
    "--batch-size",
    "2",
    "--crop-size",
    "16",
    "--rounds",
    "1",
    "--no-compile",
)


@pytest.fixture(scope="module")
def benchmark(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("training")


def test_every_way_is_timed_beside_the_tutorials_loop(
    benchmark: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark.main([*SMALL, "--steps", "4"])
    heading, *ways, cost = capsys.readouterr().out.splitlines()
    assert heading.startswith("srresnet x4, batch 2 of 16-pixel crops, ")
    names = [way[:30].strip() for way in ways]
    assert names[:3] == [benchmark.PLAIN, "loop fp32", "engine fp32"]
    assert names[-1].endswith("(the default)")
    assert all(" 0.0 images/s" not in way for way in ways)
    assert "1.00 x the tutorial's loop" in ways[0]
    assert "% over a loop of the same precision" in cost


def test_ratios_are_those_of_the_medians(
    benchmark: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    medians = {benchmark.PLAIN: 4.0, "loop fp32": 3.0, "engine fp32": 3.3, "engine fp32 (the default)": 3.6}
    monkeypatch.setattr(benchmark, "compare", lambda *_: {**medians, "engine fp32 --compile": 2.0})
    benchmark.main(["--json"])
    assert json.loads(capsys.readouterr().out) == {
        "engine_over_loop": 1.2,
        "engine_over_loop_fp32": 1.1,
        "default_over_fp32": 1.111,
        "compiled_over_fp32": 2.0,
    }


def test_steps_that_all_warm_up_are_refused(benchmark: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmark.main(["--steps", "2"])
    assert "--steps 2: the first two do not count, so it takes at least 3" in capsys.readouterr().err
