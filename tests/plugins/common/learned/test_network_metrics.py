"""LPIPS and DISTS against torchmetrics with the same random networks, and where their weights come from."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model

from restore.core.errors import RestoreError, UsageError, WeightsError
from restore.core.metrics import SizedMetric
from restore.plugins.common.learned import dists, lpips
from restore.plugins.common.learned.settings import Backbone
from restore.plugins.common.published import locate_published

needs_torchmetrics = pytest.mark.skipif(
    importlib.util.find_spec("torchmetrics") is None, reason="needs restorekit[metrics]"
)
NAMES: dict[Backbone, str] = {"alex": "alexnet", "squeeze": "squeezenet1_1", "vgg": "vgg16"}


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for opened in (lpips._open, dists._open):
        opened.cache_clear()
    yield
    for opened in (lpips._open, dists._open):
        opened.cache_clear()


def random_features(network: str, path: Path) -> nn.Sequential:
    """Write a file of random weights as torchvision's, without a classifier, and return the layers."""
    with torch.device("meta"):
        features: nn.Sequential = get_model(network, weights=None).features
    features = features.to_empty(device="cpu").eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(4)
    for name, parameter in features.named_parameters():
        fan = parameter[0].numel()
        parameter.normal_(0, (2 / fan) ** 0.5 if name.endswith("weight") else 0.05, generator=generator)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({f"features.{name}": value for name, value in features.state_dict().items()}, path)
    return features


def pair(side: int = 48) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    target = torch.randint(256, (2, 3, side, side), generator=generator) / 255
    noise = torch.randint(-20, 21, target.shape, generator=generator) / 255
    return (target + noise).clamp(0, 1), target


@needs_torchmetrics
@pytest.mark.parametrize("backbone", ["alex", "squeeze", "vgg"])
def test_lpips_is_that_of_torchmetrics(backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = pytest.importorskip("torchmetrics.functional.image.lpips")
    features = random_features(NAMES[backbone], tmp_path / "backbone.pth")
    monkeypatch.setattr(theirs, "_get_tv_model_features", lambda *_: features)
    prediction, target = pair()
    expected = theirs._LPIPS(net=backbone, pnet_rand=True)(prediction, target, normalize=True).flatten()
    metric = lpips.build_lpips(backbone, str(tmp_path / "backbone.pth"))
    # torchmetrics stabilizes the length of features by 1e-4, the authors by 1e-10
    torch.testing.assert_close(metric.measure(prediction, target)[:, 0].float(), expected, rtol=2e-4, atol=1e-6)
    assert metric.reduce(metric.measure(target, target)) == 0
    assert metric.convention.endswith("backbone.pth, 8-bit RGB")


@needs_torchmetrics
def test_dists_is_that_of_torchmetrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = pytest.importorskip("torchmetrics.functional.image.dists")
    features = random_features("vgg16", locate_published("vgg16"))
    monkeypatch.setattr(theirs, "vgg16", lambda **_: SimpleNamespace(features=features))
    prediction, target = pair()
    expected = theirs.DISTSNetwork()(prediction, target)
    metric = dists.build_dists()  # the file is where a download would have put it
    torch.testing.assert_close(metric.measure(prediction, target)[:, 0].float(), expected, rtol=1e-5, atol=1e-6)
    assert metric.reduce(metric.measure(target, target)) == pytest.approx(0, abs=1e-6)
    assert metric.convention == "VGG16, 8-bit RGB"


@needs_torchmetrics
def test_a_border_is_cut_and_small_images_are_left_out(tmp_path: Path) -> None:
    random_features("squeezenet1_1", tmp_path / "squeeze.pth")
    whole, cut = (lpips.build_lpips("squeeze", str(tmp_path / "squeeze.pth"), border) for border in (0, 4))
    prediction, target = pair(32)
    inner = [image[..., 4:-4, 4:-4] for image in (prediction, target)]
    torch.testing.assert_close(cut.measure(prediction, target), whole.measure(*inner), rtol=0, atol=0)
    assert isinstance(cut, SizedMetric)
    assert cut.least_side == 25
    assert bool(cut.measure(*pair(24)).isnan().all())
    assert bool(cut.measure(*pair(25)).isfinite().all())
    gray = [image[:, :1] for image in (prediction, target)]
    colored = [image.expand(-1, 3, -1, -1) for image in gray]
    torch.testing.assert_close(whole.measure(*gray), whole.measure(*colored), rtol=0, atol=0)


@needs_torchmetrics
def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"missing\.pth: no such file; expected weights of torchvision's alexnet"):
        lpips.build_lpips("alex", str(tmp_path / "missing.pth"))
    random_features("squeezenet1_1", tmp_path / "squeeze.pth")
    with pytest.raises(WeightsError, match=r"not a file of torchvision's alexnet weights: features\.0\.weight has"):
        lpips.build_lpips("alex", str(tmp_path / "squeeze.pth"))
    monkeypatch.setattr("restore.plugins.common.published._url", lambda _: "http://127.0.0.1:9/alexnet-7be5be79.pth")
    with pytest.raises(RestoreError, match=r"could not be downloaded.*A copy from another machine may be put at"):
        lpips.build_lpips("alex")


def test_what_has_to_be_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for build in (lpips.build_lpips, dists.build_dists):
        with pytest.raises(UsageError, match=r"pip install 'restorekit\[metrics\]'"):
            build()
