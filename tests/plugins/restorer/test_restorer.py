"""The restorer: its degradations, its network, its classical methods, and networks of other families at scale 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from restore.core.errors import DataError, UsageError
from restore.core.evaluation import evaluate
from restore.core.images.files import write_image
from restore.core.seeding import seeded
from restore.core.training.trainer import Trainer
from restore.plugins.common.degradation.compression import compress
from restore.plugins.common.images.samples import photographs
from restore.plugins.restorer.classical import NonLocalMeans, estimate_noise
from restore.plugins.restorer.dataset import DegradedImages, noisy_images
from restore.plugins.restorer.drunet import DRUNet
from restore.plugins.restorer.network import DnCNN
from restore.plugins.restorer.own_settings import NoisySettings
from restore.plugins.restorer.settings import NonLocalMeansSettings, RestorerSettings
from restore.plugins.restorer.task import Restorer


def settings(**changes: Any) -> RestorerSettings:
    made = Restorer.tiny_settings(**changes)
    assert isinstance(made, RestorerSettings)
    return made


def folder_of(folder: Path, count: int, *sizes: tuple[int, int]) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        height, width = sizes[number % len(sizes)]
        write_image(folder / f"{number}.png", torch.rand(3, height, width))
    return folder


def test_noise_has_the_strength_that_was_asked_for_and_is_fixed_outside_training() -> None:
    images = DegradedImages(photographs("validation"), noise=51)
    sample, again = images[1], images[1]
    residual = sample["input"] - sample["target"]
    assert float(residual.std()) == pytest.approx(0.2, rel=0.02)
    assert torch.equal(sample["input"], again["input"])
    assert not torch.equal(residual, images[0]["input"] - images[0]["target"])


def test_training_samples_are_crops_with_new_noise() -> None:
    images = DegradedImages(photographs("train"), noise=25, crop_size=24)
    with seeded(3):
        first, second = images[0], images[0]
    assert first["input"].shape == first["target"].shape == (3, 24, 24)
    assert not torch.equal(first["target"], second["target"])
    with seeded(3):
        assert torch.equal(images[0]["input"], first["input"])


def test_a_lower_quality_of_jpeg_is_farther_from_the_image() -> None:
    image = photographs("validation")[0]
    errors = [float((compress(image, quality).float() - image).square().mean()) for quality in (95, 50, 10)]
    assert 0 < errors[0] < errors[1] < errors[2]
    degraded = DegradedImages(photographs("validation"), noise=0, jpeg=(10, 10))[0]
    assert torch.equal((degraded["input"] * 255).round().byte(), compress(image, 10))


def test_degradations_that_do_nothing_or_contradict_are_refused() -> None:
    with pytest.raises(ValidationError, match="nothing degrades"):
        NoisySettings(noise=0)
    with pytest.raises(ValidationError, match="above the largest"):
        NoisySettings(jpeg=(40, 10))


def test_a_folder_with_pairs_is_not_degraded_but_named(tmp_path: Path) -> None:
    for name in ("inputs", "targets"):
        folder_of(tmp_path / name, 4, (20, 24))
    given = settings(data=tmp_path)
    with pytest.raises(UsageError, match="--dataset restorer/pairs"):
        Restorer(given).dataset("train", Restorer(given).phases()[0])
    task = Restorer(settings(data=tmp_path, dataset={"name": "restorer/pairs"}))
    train, validation = (task.dataset(split, task.phases()[0]) for split in ("train", "validation"))  # type: ignore[arg-type]
    assert (len(train), len(validation)) == (3, 1)
    assert train[0]["input"].shape == (3, 16, 16)
    assert validation[0]["input"].shape == (3, 20, 24)
    assert not torch.equal(validation[0]["input"], validation[0]["target"])


def test_pairs_need_a_folder_and_images_that_are_large_enough(tmp_path: Path) -> None:
    task = Restorer(settings(dataset={"name": "restorer/pairs"}))
    with pytest.raises(UsageError, match="needs --data with inputs/ and targets/"):
        task.dataset("train", task.phases()[0])
    small = folder_of(tmp_path / "small", 3, (12, 40))
    with pytest.raises(DataError, match="too small for a training crop"):
        noisy_images("train", small, 0.1, 0, 16, noise=25, jpeg=None)


@pytest.mark.parametrize(
    ("build", "halo"),
    [
        (lambda: DnCNN(8, 5, batch_norm=False), 5),
        (lambda: DnCNN(8, 5, dilated=True), 9),
        (lambda: DRUNet(4, 1, 2), 14),
        (lambda: DRUNet(4, 2, 3), 52),
    ],
    ids=["dncnn", "dncnn-dilated", "drunet", "drunet-of-three-scales"],
)
def test_a_network_is_exact_in_tiles_and_starts_near_the_identity(build: Callable[[], Any], halo: int) -> None:
    torch.manual_seed(0)
    network = build().eval()
    assert network.tiling.halo == halo
    images = torch.rand(1, 3, 2 * halo + 24, 2 * halo + 24)
    cut = slice(8, 2 * halo + 16)
    with torch.no_grad():
        whole, part = network(images), network(images[..., cut, cut])
    inner, outer = slice(halo, halo + 8), slice(halo + 8, halo + 16)
    assert torch.allclose(whole[..., outer, outer], part[..., inner, inner], atol=1e-5)
    assert float((whole - images).abs().mean()) < 0.4


def test_dncnn_has_the_published_size() -> None:
    # 3x3 convolutions: 3 to 64, 15 times 64 to 64, 64 to 3; scale and shift of 15 normalizations
    expected = 3 * 64 * 9 + 64 + 15 * (64 * 64 * 9 + 2 * 64) + 64 * 3 * 9 + 3
    assert sum(parameter.numel() for parameter in DnCNN().parameters()) == expected


def test_the_noise_is_estimated_and_non_local_means_removes_it() -> None:
    images = DegradedImages(photographs("validation"), noise=25)
    assert 255 * estimate_noise(images[1]["input"].permute(1, 2, 0).numpy()) == pytest.approx(25, rel=0.05)
    method = NonLocalMeans(NonLocalMeansSettings())
    small = images[1]["input"][:, :48, :64]
    output = method.predict({"input": small[None]}, {})["output"][0]  # type: ignore[arg-type]
    before, after = ((x - images[1]["target"][:, :48, :64]).square().mean() for x in (small, output))
    assert float(after) < 0.2 * float(before)


@pytest.mark.parametrize("architecture", ["srgan/msrresnet", "srgan/compact", "srgan/srresnet"])
def test_a_network_for_super_resolution_restores_without_upscaling(tmp_path: Path, architecture: str) -> None:
    model = {"architecture": architecture, "channels": 4, "blocks": 1}
    given = settings(out=tmp_path, name="run", epochs=1, model=model)
    result = Trainer(Restorer, given, name="restorer/restorer").fit()
    assert {number.of for number in result.numbers} == {"identity", "non-local-means", "restore"}
    assert {number.convention for number in result.numbers} == {"8-bit RGB, restorer/noisy noise=25"}


def test_the_sample_recipe_belongs_to_the_sample() -> None:
    own = RestorerSettings()
    assert (own.on_sample, own.model.architecture, own.crop_size) == (True, "restorer/drunet", 48)
    assert own.model.own_values() == {"channels": 32, "blocks": 1, "scales": 3}
    sized = RestorerSettings(model={"depth": 5})
    assert (sized.on_sample, sized.model.architecture, sized.optimizer.clip_norm) == (True, "restorer/dncnn", None)
    noisier = RestorerSettings(dataset={"name": "noisy", "noise": 50})
    assert (noisier.on_sample, noisier.dataset.own_values()["noise"]) == (True, 50)
    other = RestorerSettings(dataset={"name": "restorer/pairs"})
    assert (other.on_sample, other.model.own_values()["depth"]) == (False, 17)
    assert RestorerSettings(model={"architecture": "srgan/compact"}).model.own_values() == {"channels": 32, "blocks": 5}


def test_the_convention_names_what_degrades(tmp_path: Path) -> None:
    task = Restorer(settings(dataset={"noise": 15, "jpeg": (10, 40)}))
    (metric, _) = task.training_protocol.values()
    assert metric.convention == "8-bit RGB, restorer/noisy noise=15 jpeg=10-40"
    (baseline, _) = task.baselines().values()
    found = evaluate(baseline, {}, task.evaluation_data(None), baseline.protocols()["y8"], of="identity")
    assert found.numbers[0].convention == "8-bit Y, restorer/noisy noise=15 jpeg=10-40"
