"""Whole degradations: their presets, their seeds, and the samples that are made with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.utils.data import DataLoader

from restore.core.dataset import as_dataset
from restore.core.errors import UsageError
from restore.core.images.files import write_image
from restore.core.seeding import seeded
from restore.core.training.dataloading import SeededSamples
from restore.plugins.common.degradation.pipeline import Degradation, degradation_of
from restore.plugins.common.degradation.presets import PRESETS, Preset
from restore.plugins.common.degradation.settings import DegradationSettings
from restore.plugins.common.images.folders import ImageFolder
from restore.plugins.common.images.resize import imresize
from restore.plugins.common.images.samples import Photographs, photographs
from restore.plugins.common.super_resolution.dataset import CroppedPairs, WholePairs, super_resolution_pairs

pytestmark = pytest.mark.usefixtures("one_thread", "seeded")

DEGRADING: tuple[Preset, ...] = tuple(name for name in get_args(Preset) if name != "none")


def crop(side: int = 64) -> Tensor:
    return photographs("validation")[0][:, :side, :side]


def degrade(image: Tensor, seed: int, scale: float = 4, **settings: Any) -> Tensor:
    with seeded(seed):
        return Degradation(DegradationSettings(**settings), scale)(image)


def test_the_settings_have_a_preset_for_each_name() -> None:
    assert set(PRESETS) == set(get_args(Preset))
    assert not DegradationSettings().active
    assert degradation_of(DegradationSettings(), 4) is None
    for preset in DEGRADING:
        assert DegradationSettings(preset=preset).active


@pytest.mark.parametrize("preset", DEGRADING)
@pytest.mark.parametrize("scale", [1, 2, 4, 2.5])
def test_an_input_is_a_function_of_its_target_and_the_seed(preset: str, scale: float) -> None:
    image = crop(60)
    one, again = (degrade(image, 5, scale, preset=preset) for _ in range(2))
    assert torch.equal(one, again)
    assert one.dtype == torch.uint8
    assert one.shape == imresize(image, 1 / scale).shape
    assert any(not torch.equal(one, degrade(image, seed, scale, preset=preset)) for seed in (6, 7))


@pytest.mark.parametrize("preset", DEGRADING)
@pytest.mark.parametrize("size", [(1, 1), (3, 50), (17, 8)])
def test_images_of_any_size_can_be_degraded(preset: str, size: tuple[int, int]) -> None:
    for seed in range(8):
        assert degrade(torch.full((3, *size), 90, dtype=torch.uint8), seed, 1, preset=preset).shape == (3, *size)


def test_four_of_five_inputs_went_through_jpeg_and_the_others_are_those_of_clean_pairs() -> None:
    image = crop(32)
    clean, settings = imresize(image, 1 / 4), {"preset": "jpeg", "last": {"noise": {"probability": 0}}}
    untouched = sum(torch.equal(degrade(image, seed, **settings), clean) for seed in range(600))
    assert untouched / 600 == pytest.approx(0.2, abs=0.05)


def test_a_higher_jpeg_quality_is_closer_to_the_clean_input() -> None:
    image = crop(64)
    clean = imresize(image, 1 / 2).float()

    def error(quality: int) -> float:
        last = {"noise": {"probability": 0}, "compression": {"probability": 1, "quality": (quality, quality)}}
        return float((degrade(image, 0, 2, preset="jpeg", last=last).float() - clean).square().mean())

    assert error(30) > error(60) > error(95) > 0


def test_presets_degrade_more_one_after_the_other() -> None:
    image = crop(96)
    clean = imresize(image, 1 / 4).float()
    errors = [
        sum(float((degrade(image, seed, preset=preset).float() - clean).square().mean()) for seed in range(40))
        for preset in ("jpeg", "photo", "real-esrgan")
    ]
    assert errors == sorted(errors)


def test_real_esrgan_has_its_published_ranges() -> None:
    published = DegradationSettings(preset="real-esrgan")
    first, last = published.first, published.last
    assert (first.blur.probability, last.blur.probability, last.sinc) == (1.0, 0.8, 0.8)
    assert (first.blur.sigma, last.blur.sigma) == ((0.2, 3.0), (0.2, 1.5))
    assert first.resize.model_dump(exclude={"filters"}) == {
        "up": 0.2, "down": 0.7, "factors": (0.15, 1.5), "antialias": False,
    }  # fmt: skip
    assert (last.resize.up, last.resize.down, last.resize.factors) == (0.3, 0.4, (0.3, 1.2))
    assert (first.noise.sigma, last.noise.sigma) == ((1.0, 30.0), (1.0, 25.0))
    assert (first.noise.poisson_scale, last.noise.poisson_scale) == ((0.05, 3.0), (0.05, 2.5))
    for stage in (first, last):
        assert (stage.blur.sides, stage.blur.generalized_shape, stage.blur.plateau_shape) == ((7, 21), (0.5, 4), (1, 2))
        gaussian, generalized, plateau = (
            sum(weight for kind, weight in stage.blur.kernels.items() if kind in kinds) / 0.9
            for kinds in (
                ("isotropic", "anisotropic"),
                ("generalized-isotropic", "generalized-anisotropic"),
                ("plateau-isotropic", "plateau-anisotropic"),
            )
        )
        assert (gaussian, generalized, plateau) == pytest.approx((0.7, 0.15, 0.15))
        assert stage.blur.kernels["sinc"] == pytest.approx(0.1 * sum(stage.blur.kernels.values()))
        assert (stage.noise.probability, stage.noise.poisson, stage.noise.gray) == (1.0, 0.5, 0.4)
        assert (stage.compression.probability, stage.compression.quality) == (1.0, (30, 95))


def test_a_file_keeps_the_preset_and_what_differs_from_it() -> None:
    own = DegradationSettings(preset="jpeg", last={"compression": {"quality": (40, 40)}})
    assert own.last.compression.probability == 0.8
    assert own.model_dump() == {"preset": "jpeg", "last": {"compression": {"quality": (40, 40)}}}
    assert DegradationSettings.model_validate(own.model_dump(mode="json")) == own
    assert str(own) == "jpeg last.compression.quality=40-40"
    other = DegradationSettings.model_validate({**own.model_dump(), "preset": "photo"})
    assert other.last.compression.quality == (40, 40)
    assert other.first == DegradationSettings(preset="photo").first
    assert DegradationSettings.model_validate("photo") == DegradationSettings(preset="photo")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"preset": "phone"}, "none"),
        ({"last": {"compression": {"quality": (90, 30)}}}, "the smallest value, 90, is above the largest, 30"),
        ({"first": {"blur": {"sides": (6, 8)}}}, "odd"),
        ({"first": {"blur": {"probability": 1, "kernels": {"sinc": 0.0}}}}, "every weight is 0"),
        ({"first": {"resize": {"up": 0.7, "down": 0.7}}}, "add up to more than 1"),
        ({"first": {"resize": {"up": 0.5, "factors": (0.2, 0.9)}}}, "do not allow"),
        ({"first": {"blur": {"kernels": {"round": 1.0}}}}, "isotropic"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DegradationSettings.model_validate(given)


@pytest.mark.parametrize("preset", DEGRADING)
def test_the_number_of_workers_changes_no_byte(preset: str) -> None:
    pairs = CroppedPairs(photographs("train"), 4, 32, degradation=Degradation(DegradationSettings(preset=preset), 4))
    samples = SeededSamples(as_dataset(pairs), seed=3)
    keys = [[(1, place, place % 12)] for place in range(6)]

    def loaded(workers: int) -> list[Tensor]:
        loader = DataLoader(samples, batch_sampler=keys, num_workers=workers)
        return [batch["input"] for batch in loader]

    alone = loaded(0)
    assert all(torch.equal(one, other) for one, other in zip(alone, loaded(2), strict=True))
    assert not torch.equal(alone[0], alone[1])


def test_an_evaluation_degrades_each_image_alike_in_every_process_and_set(tmp_path: Path) -> None:
    degradation = Degradation(DegradationSettings(preset="jpeg", last={"noise": {"probability": 1}}), 4)
    names = ["chelsea.png", "coffee.png"]
    both = WholePairs(Photographs(names, 64), 4, degradation=degradation)
    torch.manual_seed(17)
    second_alone = WholePairs(Photographs(names[1:], 64), 4, degradation=degradation)
    assert torch.equal(both[1]["input"], second_alone[0]["input"])
    assert torch.equal(both[1]["input"], both[1]["input"])
    program = (
        "import torch\n"
        "from restore.plugins.common.degradation.pipeline import Degradation\n"
        "from restore.plugins.common.degradation.settings import DegradationSettings\n"
        "from restore.plugins.common.images.samples import Photographs\n"
        "from restore.plugins.common.super_resolution.dataset import WholePairs\n"
        "settings = DegradationSettings(preset='jpeg', last={'noise': {'probability': 1}})\n"
        "pairs = WholePairs(Photographs(['coffee.png'], 64), 4, degradation=Degradation(settings, 4))\n"
        f"torch.save(pairs[0]['input'], {str(tmp_path / 'input.pt')!r})\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert torch.equal(torch.load(tmp_path / "input.pt"), both[1]["input"])


def strongest_edge(image: Tensor) -> int:
    """Return where, modulo 8, neighboring columns differ the most."""
    steps = (image[:, :, 1:] - image[:, :, :-1]).abs().mean((0, 1))
    return int(torch.stack([steps[start::8].mean() for start in range(8)]).argmax())


def test_blocks_begin_anywhere_in_a_training_input_and_it_fits_its_target() -> None:
    """A network that always saw them begin at the edge would fail in the middle of a whole image."""
    always = {"probability": 1, "quality": (15, 15)}
    degradation = Degradation(
        DegradationSettings(preset="jpeg", last={"noise": {"probability": 0}, "compression": always}), 2
    )
    pairs = CroppedPairs(Photographs(["coffee.png"], 256), 2, 96, degradation=degradation)
    samples = [pairs[0] for _ in range(40)]
    assert len({strongest_edge(sample["input"]) for sample in samples}) >= 6
    for sample in samples:
        clean = imresize((sample["target"] * 255).round().byte(), 1 / 2).float() / 255
        shifted = clean.roll(1, -1)
        assert (sample["input"] - clean).abs().mean() < (sample["input"] - shifted).abs().mean()
    tight = CroppedPairs(Photographs(["coffee.png"], 96), 2, 96, degradation=degradation)[0]
    assert tight["input"].shape == (3, 48, 48)


def test_only_targets_of_training_are_sharpened() -> None:
    degradation = Degradation(DegradationSettings(sharpen_target=True), 2)
    source = Photographs(["coffee.png"], 64)
    whole = WholePairs(source, 2, degradation=degradation)[0]["target"]
    assert torch.equal((whole * 255).round().byte(), source[0])
    trained = CroppedPairs(source, 2, 64, augment=False, degradation=degradation)[0]
    target = (trained["target"] * 255).round().byte()
    assert torch.equal((trained["input"] * 255).round().byte(), imresize(source[0], 1 / 2))
    assert torch.equal(target, degradation.sharpen_target(source[0]))
    assert float(target.float().std()) > float(source[0].float().std())


def test_pairs_have_inputs_of_their_own(tmp_path: Path) -> None:
    for folder, side in (("HR", 16), ("LR", 8)):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "a.png", torch.rand(3, side, side))
    degradation = Degradation(DegradationSettings(preset="jpeg"), 2)
    for split in ("train", "evaluation"):
        with pytest.raises(UsageError, match=r"has pairs, .*leave out .* or use the targets alone: .*HR"):
            super_resolution_pairs(split, tmp_path, 0.0, 0, 8, 2, degradation)  # type: ignore[arg-type]
    files = [tmp_path / "HR" / "a.png"]
    assert WholePairs(ImageFolder(files), 2, degradation=degradation)[0]["input"].shape == (3, 8, 8)


def test_a_pillow_without_webp_is_told_of_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.features.check", lambda name: name != "webp")
    with pytest.raises(UsageError, match="cannot write WebP"):
        Degradation(DegradationSettings(preset="photo"))
    Degradation(DegradationSettings(preset="real-esrgan"))


@pytest.mark.parametrize(("preset", "cheap"), [("jpeg", True), ("photo", False), ("real-esrgan", False)])
def test_costly_samples_ask_for_worker_processes(preset: Preset, cheap: bool) -> None:
    degradation = Degradation(DegradationSettings(preset=preset), 4)
    assert CroppedPairs(photographs("train"), 4, 32, degradation=degradation).in_memory is cheap
