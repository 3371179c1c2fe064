"""The plugin where spandrel is not installed: nothing is registered, and the reason is said where it helps."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from restore.core.errors import WeightsError
from restore.core.weights.unwrap import CheckpointState
from restore.plugins import spandrel as plugin
from restore.plugins.spandrel.catalog import ARCHITECTURES
from restore.plugins.spandrel.convert import recognize


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, package: str | None = None) -> object:
        return None if name == "spandrel" else find_spec(name, package)

    monkeypatch.setattr("restore.plugins.spandrel.find_spec", without)
    monkeypatch.setattr("restore.plugins.spandrel.convert.find_spec", without)


@pytest.mark.usefixtures("missing")
def test_there_are_no_architectures() -> None:
    assert plugin.restore_architectures() == []


@pytest.mark.usefixtures("missing")
def test_the_converter_says_what_to_install() -> None:
    with pytest.raises(WeightsError, match=r"pip install 'restorekit\[spandrel\]'"):
        recognize(CheckpointState({"layers.0.weight": torch.zeros(1)}))


def test_it_is_asked_after_all_other_converters() -> None:
    (spec,) = plugin.restore_converters()
    assert spec.fallback


def test_the_page_lists_every_architecture_with_its_license() -> None:
    page = (Path(__file__).parents[3] / "docs" / "weights.md").read_text("utf-8")
    for each in ARCHITECTURES:
        assert f"| `spandrel/{each.name}` | {each.role} | {each.about} | {each.license} |" in page
        assert each.license != "unknown"
