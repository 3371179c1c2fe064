"""Where the features of the perceptual loss come from."""

from __future__ import annotations

import hashlib
import logging
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from restore.core.errors import RestoreError, UsageError, WeightsError
from restore.plugins.common import published as torchvision_weights
from restore.plugins.common.perceptual.settings import PerceptualSettings
from restore.plugins.common.perceptual.weights import feature_network, resolve_features
from restore.plugins.common.published import locate_published

LAYERS = {"relu1_1": 1.0}  # only the first convolution, so that files are small


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the one where torchvision's files are kept; nobody goes online."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torchvision_weights, "download", refuse_download)
    return tmp_path / "torch" / "hub" / "checkpoints"


def refuse_download(url: str, path: Path) -> Path:
    raise RestoreError(f"{url}: not in a test, for {path}")


def first_layer(prefix: str = "features.") -> dict[str, Tensor]:
    return {f"{prefix}0.weight": torch.full((64, 3, 3, 3), 0.25), f"{prefix}0.bias": torch.arange(64.0)}


def settings(weights: str, **more: object) -> PerceptualSettings:
    return PerceptualSettings.model_validate({"weights": weights, "layers": LAYERS, **more})


def published(hub: Path) -> Path:
    hub.mkdir(parents=True, exist_ok=True)
    path = locate_published("vgg19")
    torch.save({**first_layer(), "classifier.0.weight": torch.zeros(2)}, path)
    return path


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_auto_takes_the_published_file_where_it_is_already(hub: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = published(hub)
    assert path.parent == hub
    chosen = resolve_features(settings("auto"))
    assert (chosen.weights, chosen.sha256) == ("imagenet", checksum(path))
    assert caplog.records == []
    assert torch.equal(feature_network(chosen).features[0].bias, torch.arange(64.0))


def test_auto_without_the_file_is_random_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    chosen = resolve_features(settings("auto"), flag="--content.weights imagenet")
    assert (chosen.weights, chosen.sha256) == ("random", None)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "random" in record.getMessage()
    assert "--content.weights imagenet" in record.getMessage()
    assert "548 MB" in record.getMessage()
    assert torch.equal(feature_network(chosen).features[0].weight, feature_network(chosen).features[0].weight)


def test_what_is_decided_stays_decided(hub: Path) -> None:
    random = resolve_features(settings("auto"))
    published(hub)
    assert resolve_features(random) == random
    imagenet = resolve_features(settings("auto"))
    assert resolve_features(imagenet) == imagenet


def test_random_needs_no_file_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert resolve_features(settings("random")) == settings("random")
    assert caplog.records == []


def test_only_imagenet_downloads(hub: Path) -> None:
    with pytest.raises(RestoreError, match="not in a test"):
        resolve_features(settings("imagenet"))
    published(hub)
    assert resolve_features(settings("imagenet")).sha256 == checksum(locate_published("vgg19"))


@pytest.mark.parametrize("prefix", ["features.", ""])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str, suffix: str) -> None:
    path = tmp_path / f"mine{suffix}"
    save_file(first_layer(prefix), path) if suffix == ".safetensors" else torch.save(first_layer(prefix), path)
    monkeypatch.chdir(tmp_path)
    chosen = resolve_features(settings(path.name))
    assert chosen.weights == str(path)  # a run may be resumed from another folder
    assert chosen.sha256 == checksum(path)
    assert torch.equal(feature_network(chosen).features[0].bias, torch.arange(64.0))


def test_a_path_that_leads_nowhere_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.pth: no such file"):
        resolve_features(settings(str(tmp_path / "nowhere.pth")))


def test_another_file_than_the_run_began_with_is_refused(hub: Path) -> None:
    chosen = resolve_features(settings(str(published(hub))))
    torch.save(first_layer() | {"more": torch.zeros(1)}, chosen.weights)
    with pytest.raises(WeightsError, match="has changed since"):
        feature_network(chosen)


class Command:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("executed"),)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pth").write_bytes(pickle.dumps(Command()))
    with pytest.raises(WeightsError, match=r"bad\.pth"):
        feature_network(resolve_features(settings("bad.pth")))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", b"\x80\x02}q"])
def test_a_damaged_file_is_named(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"bad\{suffix}: "):
        feature_network(resolve_features(settings(str(path))))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"features.0.weight": torch.zeros(64, 3, 3, 3)}, r"features\.0\.bias is missing"),
        (
            {**first_layer(), "features.0.weight": torch.zeros(64, 3, 5, 5)},
            r"\(64, 3, 5, 5\), expected \(64, 3, 3, 3\)",
        ),
        (torch.zeros(3), "holds a Tensor|parameters"),
        ({**first_layer(), "features.0.bias": 3}, r"features\.0\.bias is missing"),
    ],
)
def test_weights_of_something_else_are_refused(tmp_path: Path, content: object, reason: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=reason):
        feature_network(resolve_features(settings(str(tmp_path / "other.pth"))))


def test_features_are_not_built_before_they_are_decided() -> None:
    with pytest.raises(UsageError, match="not resolved"):
        feature_network(settings("auto"))
