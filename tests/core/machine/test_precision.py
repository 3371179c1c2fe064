"""The precision of a run is what was asked for, or what is measured to be fast; measured once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from restore.core.errors import UsageError
from restore.core.machine import precision

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "restorekit" / "precision.json"


@pytest.mark.parametrize(("speedup", "chosen"), [(2.5, "bf16"), (1.0, "fp32"), (0.0, "fp32")])
def test_auto_takes_bf16_where_it_is_faster(speedup: float, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_bf16_speedup", lambda device: speedup)
    assert precision.choose("auto", CPU) == chosen


def test_it_is_measured_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = precision.probe(CPU)
    assert first["measured"]
    assert first["speedup"] > 0
    monkeypatch.setattr(precision, "_bf16_speedup", lambda device: pytest.fail("measured again"))
    assert precision.probe(CPU) == {**first, "measured": False}
    cache.write_text("not json", encoding="utf-8")
    monkeypatch.setattr(precision, "_bf16_speedup", lambda device: 3.0)
    assert precision.probe(CPU)["speedup"] == 3.0


def test_what_failed_is_measured_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> float:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(precision, "_seconds", fails)
    assert precision.choose("auto", CPU) == "fp32"
    assert not cache.exists()


def test_measuring_leaves_the_chance_of_the_run_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    precision.probe(CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_home_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(precision, "_bf16_speedup", lambda device: 2.0)
    assert precision.choose("auto", CPU) == "bf16"


def test_what_is_asked_for_is_taken_if_the_device_can() -> None:
    assert precision.choose("bf16", CPU) == "bf16"
    assert precision.choose("fp32", CPU) == "fp32"
    with pytest.raises(UsageError, match="needs a CUDA device"):
        precision.choose("fp16", CPU)


def test_a_last_layer_stays_in_full_precision() -> None:
    layer = nn.Linear(4, 1)
    with precision.autocast(CPU, "bf16"):
        assert layer(torch.rand(2, 4)).dtype == torch.bfloat16
        assert precision.in_full_precision(layer, torch.rand(2, 4).bfloat16()).dtype == torch.float32
        assert precision.in_full_precision(layer.double(), torch.rand(2, 4).double()).dtype == torch.float64
    with precision.autocast(CPU, "fp32"):
        assert layer.float()(torch.rand(2, 4)).dtype == torch.float32
