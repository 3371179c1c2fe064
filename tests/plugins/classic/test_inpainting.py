"""Filling and blending as tasks: their second inputs, their numbers, their errors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from restore.core.errors import DataError, NothingToTrain, UsageError
from restore.core.evaluation import evaluate
from restore.core.images.files import read_image
from restore.core.inference.engine import predict_image
from restore.core.method import Method
from restore.core.settings import RunSettings, Settings
from restore.core.training.trainer import Trainer
from restore.plugins.classic.settings import BlendingPredictOptions
from restore.plugins.common.inpainting.metrics import MaskedL1, MaskedPSNR
from restore.plugins.common.masks.reading import dilate
from restore.plugins.common.masks.settings import InpaintingPredictOptions
from restore.registry import entry, get

FILLS = ["mean", "nearest-known", "smooth", "biharmonic"]


def task(name: str, options: Settings | None = None) -> Method:
    kind = get("tasks", f"classic/{name}")
    built: Method = kind(kind.settings_type()).with_options(predict=options)
    return built


def written(path: Path, height: int = 24, width: int = 20, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)
    return path


def written_mask(path: Path, height: int = 24, width: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.zeros((height, width), dtype=np.uint8)
    levels[5:12, 4:10] = 255
    Image.fromarray(levels).save(path)
    return path


def run(method: Method, path: Path) -> Tensor:
    (output,) = predict_image(method, {}, method.read_inputs(path, read_image(path))).values()
    return output


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("as_folder", [False, True])
def test_a_hole_is_filled_and_the_rest_stays_bit_for_bit(tmp_path: Path, name: str, as_folder: bool) -> None:
    path = written(tmp_path / "photo.jpg")
    mask = written_mask(tmp_path / "masks" / "photo.png")
    output = run(task(name, InpaintingPredictOptions(mask=mask.parent if as_folder else mask)), path)
    image = read_image(path).color
    changed = (output != image).any(0)
    expected = torch.zeros(24, 20, dtype=torch.bool)
    expected[5:12, 4:10] = True
    assert torch.equal(changed & ~expected, torch.zeros_like(expected))
    assert changed.sum() > 30


def test_a_fill_without_a_mask_asks_for_one(tmp_path: Path) -> None:
    path = written(tmp_path / "photo.png")
    for options in (None, InpaintingPredictOptions()):
        with pytest.raises(UsageError, match="--mask"):
            run(task("mean", options), path)
    with pytest.raises(UsageError, match="no such file"):
        run(task("mean", InpaintingPredictOptions(mask=tmp_path / "nothing.png")), path)
    written_mask(tmp_path / "masks" / "other.png")
    with pytest.raises(UsageError, match=r"photo\.png: no mask of the same name"):
        run(task("mean", InpaintingPredictOptions(mask=tmp_path / "masks")), path)


def test_a_mask_of_another_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    mask = written_mask(tmp_path / "mask.png", 24, 21)
    with pytest.raises(DataError, match=r"mask\.png: the mask has 21x24 pixels, but .*photo\.png has 20x24"):
        run(task("mean", InpaintingPredictOptions(mask=mask)), written(tmp_path / "photo.png"))


@pytest.mark.parametrize("name", FILLS)
def test_fills_are_measured_inside_the_hole_and_over_the_image(tmp_path: Path, name: str) -> None:
    written(tmp_path / "images" / "photo.png")
    written_mask(tmp_path / "masks" / "photo.png")
    method = task(name)
    images = method.evaluation_data(tmp_path)
    measured = evaluate(method, {}, images, method.protocols()["inpainting"], of=name)
    found = {(number.name, number.convention): number.value for number in measured.numbers}
    sample = images[0]
    levels = (method.predict({key: value[None] for key, value in sample.items()}, None)["output"][0] * 255).round()  # type: ignore[arg-type]
    errors = (levels - sample["target"] * 255)[:, 5:12, 4:10]
    inside = "8-bit RGB, inside the hole"
    assert found["masked-l1", inside] == pytest.approx(float(errors.abs().mean() / 255), rel=1e-5)
    assert found["masked-psnr", inside] == pytest.approx(
        10 * math.log10(255**2 / float(errors.square().mean())), rel=1e-5
    )
    # The same error over the whole image: what is known is not wrong.
    share = 7 * 6 / (24 * 20)
    assert found["psnr", "8-bit RGB"] == pytest.approx(found["masked-psnr", inside] - 10 * math.log10(share), abs=1e-6)


def test_an_image_that_cannot_be_measured_is_named(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        written(tmp_path / "images" / name)
        written_mask(tmp_path / "masks" / name)
    Image.fromarray(np.full((24, 20), 255, np.uint8)).save(tmp_path / "masks" / "b.png")
    method = task("mean")
    with pytest.raises(DataError, match=r"^b\.png: the mask covers the whole image"):
        evaluate(method, {}, method.evaluation_data(tmp_path), method.protocols()["inpainting"], of="mean")


def test_a_smooth_image_is_filled_better_the_more_a_method_sees() -> None:
    images = task("mean").evaluation_data(None)
    values = []
    for name in ("mean", "nearest-known", "smooth"):
        method = task(name)
        measured = evaluate(method, {}, images, method.protocols()["inpainting"], of=name)
        values.append(measured.numbers[0].value)
    assert values[2] > values[1] > values[0] > 8


def test_metrics_of_a_hole_need_a_hole() -> None:
    image = torch.rand(1, 3, 8, 8)
    rows = MaskedL1().measure_inside(image, image, torch.zeros(1, 1, 8, 8))
    assert math.isnan(MaskedL1().reduce(rows))
    whole = MaskedPSNR().measure(image, image + 0.1)
    assert float(whole[0, 1]) == 3 * 8 * 8


@pytest.mark.parametrize("missing", ["images", "masks"])
def test_a_folder_that_is_laid_out_otherwise_is_refused(tmp_path: Path, missing: str) -> None:
    (tmp_path / ("masks" if missing == "images" else "images")).mkdir()
    with pytest.raises(UsageError, match="images/ and masks/"):
        task("mean").evaluation_data(tmp_path)


def test_a_mask_that_does_not_fit_its_image_is_named_before_measuring(tmp_path: Path) -> None:
    written(tmp_path / "images" / "photo.png")
    written_mask(tmp_path / "masks" / "photo.png", 20, 24)
    with pytest.raises(DataError, match=r"masks.photo\.png: the mask has 24x20 pixels, but .*photo\.png 20x24"):
        task("mean").evaluation_data(tmp_path)


def test_a_patch_is_put_in_the_middle_or_where_it_is_wanted(tmp_path: Path) -> None:
    path, patch = written(tmp_path / "photo.png"), written(tmp_path / "patch.png", 6, 4, seed=1)
    image = read_image(path).color
    for options, top, left in (
        (BlendingPredictOptions(patch=patch), 9, 8),
        (BlendingPredictOptions(patch=patch, top=0, left=16), 0, 16),
    ):
        changed = (run(task("poisson", options), path) != image).any(0)
        rows, columns = changed.any(1).nonzero().flatten(), changed.any(0).nonzero().flatten()
        assert (int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])) == (top, top + 5, left, left + 3)


def test_only_the_masked_part_of_a_patch_is_taken_and_mixing_differs(tmp_path: Path) -> None:
    path, patch = written(tmp_path / "photo.png"), written(tmp_path / "patch.png", seed=1)
    mask = written_mask(tmp_path / "mask.png")
    plain, mixed = (
        run(task("poisson", BlendingPredictOptions(patch=patch, mask=mask, mixed=mixed)), path)
        for mixed in (False, True)
    )
    outside = torch.ones(24, 20, dtype=torch.bool)
    outside[5:12, 4:10] = False
    assert torch.equal(plain[:, outside], read_image(path).color[:, outside])
    assert (plain - mixed).abs().max() > 0.05


@pytest.mark.parametrize("masked", [False, True])
def test_what_is_transparent_in_a_patch_is_not_taken(tmp_path: Path, masked: bool) -> None:
    path, patch = written(tmp_path / "photo.png"), tmp_path / "patch.png"
    levels = np.random.default_rng(1).integers(0, 256, (24, 20, 4), dtype=np.uint8)
    levels[..., 3] = 0
    levels[8:20, 2:8, 3] = 255
    Image.fromarray(levels).save(patch)
    mask = written_mask(tmp_path / "mask.png") if masked else None
    changed = (
        run(task("poisson", BlendingPredictOptions(patch=patch, mask=mask)), path) != read_image(path).color
    ).any(0)
    expected = torch.zeros(24, 20, dtype=torch.bool)
    expected[slice(8, 12) if masked else slice(8, 20), slice(4, 8) if masked else slice(2, 8)] = True
    assert not (changed & ~expected).any()
    assert changed.sum() > 0.8 * expected.sum()


def test_a_patch_of_which_nothing_is_taken_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, patch, mask = written(tmp_path / "photo.png"), tmp_path / "patch.png", tmp_path / "mask.png"
    Image.fromarray(np.zeros((6, 4, 4), np.uint8)).save(patch)
    Image.fromarray(np.zeros((6, 4), np.uint8)).save(mask)
    for options, why in (
        (BlendingPredictOptions(patch=patch), "transparent"),
        (BlendingPredictOptions(patch=patch, mask=mask), "white"),
    ):
        caplog.clear()
        assert torch.equal(run(task("poisson", options), path), read_image(path).color)
        assert "no pixel of" in caplog.text
        assert why in caplog.text


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({}, UsageError, "--patch"),
        ({"patch": "large.png"}, UsageError, ".40x40. does not fit"),
        ({"patch": "small.png", "left": 17}, UsageError, "does not fit"),
        ({"patch": "small.png", "mask": "large.png"}, DataError, "40x40 pixels, but .*small.png has 4x6"),
        ({"patch": "nothing.png"}, UsageError, "no such file"),
    ],
)
def test_a_patch_that_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object], error: type[Exception], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path("large.png"), 40, 40)
    written(Path("small.png"), 6, 4)
    with pytest.raises(error, match=reason):
        run(task("poisson", BlendingPredictOptions.model_validate(options)), written(Path("photo.png")))


@pytest.mark.parametrize("name", [*FILLS, "poisson"])
def test_there_is_nothing_to_train_or_to_load(tmp_path: Path, name: str) -> None:
    assert entry("tasks", name).spec.trains is False
    with pytest.raises(NothingToTrain):
        Trainer(type(task(name)), RunSettings(out=tmp_path), name=f"classic/{name}")


def test_blending_has_no_right_answer() -> None:
    assert task("poisson").protocols() == {}
    with pytest.raises(UsageError, match="cannot be evaluated"):
        task("poisson").evaluation_data(None)


@pytest.mark.parametrize("name", ["mean", "nearest-known", "smooth", "biharmonic"])
@pytest.mark.parametrize("feather", [0, 5])
def test_a_large_image_is_filled_hole_by_hole_with_the_same_values(
    name: str, feather: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = task(name, InpaintingPredictOptions(feather=feather))
    waves = torch.sin(torch.linspace(0, 9, 300))
    image = 0.5 + 0.4 * torch.stack([waves[:, None] * waves, waves.expand(300, -1), waves[:, None].expand(-1, 300)])
    mask = torch.zeros(1, 300, 300)
    for top, left, height, width in (
        (0, 0, 9, 7),
        (40, 50, 12, 30),
        (60, 70, 20, 3),
        (280, 100, 20, 10),
        (100, 290, 8, 10),
    ):
        mask[:, top : top + height, left : left + width] = 1
    whole = predict_image(method, {}, {"input": image, "mask": mask})["output"]
    monkeypatch.setattr("restore.plugins.classic.inpainting.AUTO_PIXELS", 1000)
    parts = predict_image(method, {}, {"input": image, "mask": mask})["output"]
    assert torch.equal(parts[:, dilate(mask, feather)[0] < 0.5], image[:, dilate(mask, feather)[0] < 0.5])
    assert not torch.equal(whole, image)
    # Biharmonic values are clipped to the range of the known ones, here to that around each hole.
    bound = {"mean": 1e-6, "nearest-known": 0, "smooth": 0.02, "biharmonic": 0.005}[name]
    assert (whole - parts).abs().max() <= bound
