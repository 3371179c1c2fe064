"""The distance between two sets of features, and where Inception's come from."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch import Tensor

from restore.core.errors import UsageError, WeightsError
from restore.plugins.common.learned.distributions import FrechetDistance
from restore.plugins.common.learned.inception import inception_features


def drawn(count: int, length: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(length, length, generator=generator, dtype=torch.float64)
    return torch.randn(count, length, generator=generator, dtype=torch.float64) @ mixing + mixing[0]


def distance(generated: Tensor, wanted: Tensor) -> float:
    return FrechetDistance().reduce(torch.cat([generated, wanted], dim=1))


@pytest.mark.parametrize("count", [4, 50])  # fewer and more images than features
def test_it_is_the_published_formula(count: int) -> None:
    one, other = drawn(count, 6, 1).numpy(), drawn(count, 6, 2).numpy()
    root = sqrtm(np.cov(one.T) @ np.cov(other.T)).real
    expected = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(np.cov(one.T) + np.cov(other.T) - 2 * root)
    # the matrix root of a product without full rank is itself only known to half of the digits
    assert distance(torch.from_numpy(one), torch.from_numpy(other)) == pytest.approx(expected, rel=1e-5)


@given(st.integers(2, 9), st.integers(1, 6), st.integers(0, 99))
def test_a_set_is_at_no_distance_from_itself_and_a_shift_away_from_its_shift(
    count: int, length: int, seed: int
) -> None:
    features, shift = drawn(count, length, seed), torch.arange(length).double()
    size = 1 + float(features.square().sum())
    assert distance(features, features.flip(0)) == pytest.approx(0, abs=1e-9 * size)
    assert distance(features + shift, features) == pytest.approx(float(shift.square().sum()), abs=1e-9 * size)


def test_one_image_has_no_distribution() -> None:
    assert np.isnan(distance(torch.ones(1, 3), torch.ones(1, 3)))


class Extractor(torch.nn.Module):
    """Stands in for torch-fidelity's network: the mean level of each channel, times a weight of its file."""

    def __init__(self, name: str, features_list: list[str], feature_extractor_weights_path: str) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.load_state_dict(torch.load(feature_extractor_weights_path, weights_only=True))
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        assert not self.training
        assert x.dtype == torch.uint8
        return (self.weight * x.float().mean((2, 3)),)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    package: Any = ModuleType("torch_fidelity")
    module: Any = ModuleType("torch_fidelity.feature_extractor_inceptionv3")
    module.URL_INCEPTION_V3, module.FeatureExtractorInceptionV3 = "http://127.0.0.1:9/weights.pth", Extractor
    monkeypatch.setitem(sys.modules, "torch_fidelity", package)
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", module)
    inception_features.cache_clear()
    yield
    inception_features.cache_clear()


@pytest.mark.usefixtures("installed")
def test_features_are_those_of_the_file(tmp_path: Path) -> None:
    torch.save({"weight": torch.tensor(2.0)}, tmp_path / "inception.pth")
    seen = inception_features(str(tmp_path / "inception.pth"))(torch.full((2, 3, 4, 4), 0.5))
    torch.testing.assert_close(seen, torch.full((2, 3), 2 * 128.0))


@pytest.mark.usefixtures("installed")
def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    torch.save({"bias": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other.pth: not a weights file of torch-fidelity's Inception"):
        inception_features(str(tmp_path / "other.pth"))
    with pytest.raises(UsageError, match="no such file"):
        inception_features(str(tmp_path / "missing.pth"))


class Touch:
    """Writes a file when a pickle of it is read carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.usefixtures("installed")
def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(()), "more": Touch(tmp_path / "ran")}, tmp_path / "hostile.pth")
    with pytest.raises(WeightsError):
        inception_features(str(tmp_path / "hostile.pth"))
    assert not (tmp_path / "ran").exists()


def test_what_has_to_be_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    inception_features.cache_clear()
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(UsageError, match=r"pip install 'restorekit\[metrics\]'"):
        inception_features("inception")
