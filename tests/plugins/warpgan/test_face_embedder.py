"""Face recognizers in ONNX files: read, asked, and refused where they are none."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from onnx_files import FLATTEN, fake_onnxruntime

from restore.core.errors import DataError, UsageError
from restore.core.networks import Networks
from restore.plugins.warpgan.metrics import OnnxEmbedder

INSTALLED = find_spec("onnxruntime") is not None


@pytest.fixture(params=["a stand-in", pytest.param("itself", marks=pytest.mark.skipif(not INSTALLED, reason="absent"))])
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "a stand-in":
        monkeypatch.setitem(sys.modules, "onnxruntime", fake_onnxruntime())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "recognizer.onnx"
    path.write_bytes(FLATTEN)
    return path


@pytest.mark.usefixtures("runtime")
def test_features_are_those_of_the_file_at_its_size(model: Path) -> None:
    faces = torch.rand(2, 3, 16, 16)
    plain = OnnxEmbedder.read(model)
    assert plain.called == "features of recognizer.onnx"
    assert torch.equal(plain.features(faces, Networks({})), faces.flatten(1))
    assert OnnxEmbedder.read(model, 4).features(faces, Networks({})).shape == (2, 3 * 4 * 4)


@pytest.mark.usefixtures("runtime")
def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--embedder .*nothing.onnx: no such file"):
        OnnxEmbedder.read(tmp_path / "nothing.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(DataError, match="not an ONNX file"):
        OnnxEmbedder.read(tmp_path / "text.onnx")


def test_what_a_recognizer_cannot_use_is_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", fake_onnxruntime())
    embedder = OnnxEmbedder.read(model)
    with pytest.raises(DataError, match="Invalid dimension; set --embedder-size"):
        embedder.features(torch.rand(1, 3, 128, 128), Networks({}))
    with pytest.raises(DataError, match="must return features"):
        embedder.features(torch.rand(1, 3, 2, 2), Networks({}))


def test_a_missing_onnxruntime_is_asked_for(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restore.plugins.warpgan.metrics.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"restorekit\[onnx\]"):
        OnnxEmbedder.read(model)
