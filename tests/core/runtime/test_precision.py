"""The precision of a run is what was asked for, or what the hardware has instructions for."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import torch
from torch import nn

from restore.cli.bf16_speed import bf16_speedup
from restore.core.errors import UsageError
from restore.core.runtime import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("features", "chosen"),
    [
        ({"avx2", "avx512f", "avx512_bf16"}, "bf16"),
        ({"avx2", "amx_tile", "amx_bf16"}, "bf16"),
        ({"avx2", "avx512f", "avx512_vnni"}, "fp32"),
        ({"fp", "asimd", "bf16"}, "fp32"),
        (set(), "fp32"),
    ],
)
def test_auto_follows_from_the_features_of_the_processor(features, chosen, monkeypatch):
    monkeypatch.setattr(precision, "cpu_features", lambda: frozenset(features))
    assert precision.choose("auto", CPU) == chosen


@pytest.mark.parametrize(("native", "chosen"), [(True, "bf16"), (False, "fp32")])
def test_auto_on_cuda_takes_bf16_where_it_is_no_emulation(native, chosen, monkeypatch):
    asked = []

    def supported(including_emulation: bool = True) -> bool:
        asked.append(including_emulation)
        return native

    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert precision.choose("auto", torch.device("cuda", 0)) == chosen
    assert asked == [False]


def test_auto_on_apple_metal_is_fp32():
    assert precision.choose("auto", torch.device("mps")) == "fp32"


def test_features_are_read_as_linux_writes_them(tmp_path: Path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16\n\nprocessor\t: 1\nflags\t\t: fpu\n")
    assert precision.cpu_features(file) == {"fpu", "avx2", "avx512_bf16"}
    assert precision.cpu_features(tmp_path / "none") == set()


def test_measuring_leaves_the_random_state_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert bf16_speedup(CPU) > 0
    assert torch.equal(torch.get_rng_state(), before)


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
