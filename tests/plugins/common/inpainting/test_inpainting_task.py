"""What every family that fills holes does for a person: where the hole is, what is written, images of any size."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.images.files import read_image, write_image
from restore.core.inference.engine import predict_image
from restore.core.networks import Networks
from restore.core.settings import RunSettings
from restore.plugins.common.inpainting.blending import feather_weights
from restore.plugins.common.inpainting.task import Inpainting
from restore.plugins.common.inpainting.windowed import WindowedInpainting, halve
from restore.plugins.common.masks.paint import find_color
from restore.plugins.common.masks.reading import dilate
from restore.plugins.common.masks.settings import InpaintingPredictOptions


class Smear(Inpainting):
    """Fills every pixel with what the mean of all that it sees is, times a half; notes what it was shown."""

    window = 64  # type: ignore[assignment]

    def __init__(self, options: InpaintingPredictOptions | None = None) -> None:
        super().__init__(RunSettings())
        self.predict_options = options or InpaintingPredictOptions()
        self.seen: list[tuple[Tensor, Tensor]] = []

    def fill(self, image: Tensor, mask: Tensor, networks: Networks) -> Tensor:
        self.seen.append((image, mask))
        mean = image.sum((2, 3), keepdim=True) / (1 - mask).sum((2, 3), keepdim=True)
        return 0.5 * mean.expand_as(image)


def noise(height: int, width: int, seed: int = 0, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def saved(path: Path, levels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels.squeeze()).save(path)
    return path


def mask_levels(height: int = 24, width: int = 20) -> np.ndarray:
    levels = np.zeros((height, width), dtype=np.uint8)
    levels[5:12, 4:10] = 255
    return levels


def used(path: Path, target: Path, **options: object) -> np.ndarray:
    """What ``restore predict`` writes for an image."""
    task, image = Smear(InpaintingPredictOptions.model_validate(options)), read_image(path)
    inputs = task.read_inputs(path, image)
    write_image(target, task.render(predict_image(task, {}, inputs), inputs)[""], image)
    return np.array(Image.open(target))


HOLE = mask_levels() > 0
PROFILE = b"profile of scan GRAYXYZ and so on"


@pytest.mark.parametrize("mask", ["file", "folder", "black", "color"])
def test_only_the_hole_changes_wherever_it_was_found(tmp_path: Path, mask: str) -> None:
    levels = noise(24, 20)
    options: dict[str, object] = {"mask": saved(tmp_path / "masks" / "photo.png", mask_levels())}
    if mask == "folder":
        options = {"mask": tmp_path / "masks"}
    elif mask == "black":
        inverted = saved(tmp_path / "black.png", 255 - mask_levels())
        options = {"mask": inverted, "mask_polarity": "black-hole"}
    elif mask == "color":
        levels[HOLE] = [250, 3, 255]
        options = {"mask": "auto:color=#ff00ff"}
    written = used(saved(tmp_path / "photo.png", levels), tmp_path / "out.png", **options)
    assert np.array_equal(written[~HOLE], levels[~HOLE])
    assert len(np.unique(written[HOLE], axis=0)) == 1


def test_sixteen_bits_and_a_profile_come_out_as_they_went_in(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 2**16, (24, 20), dtype=np.uint16)
    path = tmp_path / "deep.png"
    Image.fromarray(levels).save(path, icc_profile=PROFILE)
    mask = saved(tmp_path / "mask.png", mask_levels())
    written = used(path, tmp_path / "out.png", mask=mask)
    assert written.dtype == np.uint16
    assert np.array_equal(written[~HOLE], levels[~HOLE])
    assert (written[HOLE] != levels[HOLE]).any()
    with Image.open(tmp_path / "out.png") as image:
        assert image.info["icc_profile"] == PROFILE


def test_a_hole_found_by_transparency_is_opaque_afterwards_and_alpha_stays_otherwise(tmp_path: Path) -> None:
    levels = noise(24, 20, channels=4)
    levels[..., 3] = 255
    levels[HOLE, 3] = 0
    levels[5, 4, 3] = 128  # a soft rim belongs to the hole too
    path = saved(tmp_path / "photo.png", levels)
    written = used(path, tmp_path / "out.png", mask="auto:alpha")
    assert written.shape == (24, 20, 3)
    assert np.array_equal(written[~HOLE], levels[~HOLE, :3])
    assert len(np.unique(written[HOLE], axis=0)) == 1
    half = levels.copy()
    half[..., 3] = 77
    kept = used(
        saved(tmp_path / "half.png", half), tmp_path / "kept.png", mask=saved(tmp_path / "m.png", mask_levels())
    )
    assert (kept[..., 3] == 77).all()
    assert np.array_equal(kept[~HOLE], half[~HOLE])


def test_a_gray_image_stays_gray(tmp_path: Path) -> None:
    levels = noise(24, 20, channels=1)[..., 0]
    written = used(
        saved(tmp_path / "gray.png", levels), tmp_path / "out.png", mask=saved(tmp_path / "m.png", mask_levels())
    )
    assert written.shape == levels.shape
    assert np.array_equal(written[~HOLE], levels[~HOLE])


def test_an_image_without_a_hole_comes_out_unchanged_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    levels = noise(24, 20)
    path = saved(tmp_path / "photo.png", levels)
    empty = saved(tmp_path / "empty.png", np.zeros((24, 20), dtype=np.uint8))
    for mask in (empty, "auto:alpha", "auto:color=#123456"):
        caplog.clear()
        written = used(path, tmp_path / "out.png", mask=mask, mask_tolerance=0)
        assert np.array_equal(written, levels)
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "the mask is empty" in caplog.text


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "photo.png", noise(24, 20))
    full = saved(tmp_path / "full.png", np.full((24, 20), 255, dtype=np.uint8))
    other = saved(tmp_path / "other.png", mask_levels(24, 21))
    with pytest.raises(DataError, match="the mask covers the whole image"):
        used(path, tmp_path / "out.png", mask=full)
    with pytest.raises(DataError, match=r"other\.png: the mask has 21x24 pixels, but .*photo\.png has 20x24"):
        used(path, tmp_path / "out.png", mask=other)
    with pytest.raises(UsageError, match="auto:color=#ff00ff"):
        used(path, tmp_path / "out.png")
    with pytest.raises(ValidationError, match="auto:color=#rrggbb"):
        InpaintingPredictOptions(mask=Path("auto:color"))
    with pytest.raises(ValidationError, match="choose one"):
        InpaintingPredictOptions(feather=3, blend="poisson")
    with pytest.raises(DataError, match="no known pixel is left"):
        Smear().predict({"input": torch.zeros(1, 3, 4, 4), "mask": torch.ones(1, 1, 4, 4)}, Networks({}))


def test_a_mask_that_seems_inverted_is_warned_of_with_the_flag(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved(tmp_path / "photo.png", noise(24, 20))
    used(path, tmp_path / "out.png", mask=saved(tmp_path / "m.png", 255 - mask_levels()))
    assert "--mask-polarity black-hole" in caplog.text


def test_a_color_is_met_up_to_the_tolerance_in_every_channel() -> None:
    levels = torch.tensor([[255, 0, 255], [247, 8, 250], [246, 0, 255], [255, 9, 255]]).T[:, None] / 255
    assert find_color(levels, (255, 0, 255), 8).flatten().tolist() == [1, 1, 0, 0]
    assert find_color(levels, (255, 0, 255), 0).flatten().tolist() == [1, 0, 0, 0]


def test_a_grown_hole_reaches_further_by_so_many_pixels(tmp_path: Path) -> None:
    mask = torch.zeros(1, 9, 9)
    mask[0, 4, 4] = 1
    assert int(dilate(mask, 2).sum()) == 25
    path, file = saved(tmp_path / "photo.png", noise(24, 20)), saved(tmp_path / "m.png", mask_levels())
    changed = (used(path, tmp_path / "out.png", mask=file, dilate=1) != noise(24, 20)).any(-1)
    assert changed.sum() == 9 * 8


def test_a_feather_fades_from_the_hole_outwards_and_leaves_the_rest(tmp_path: Path) -> None:
    levels = np.full((24, 20, 3), 200, dtype=np.uint8)
    path, file = saved(tmp_path / "photo.png", levels), saved(tmp_path / "m.png", mask_levels())
    written = used(path, tmp_path / "out.png", mask=file, feather=3)[8, :, 0]
    assert written[4:10].tolist() == [100] * 6
    assert written[10:15].tolist() == [125, 150, 175, 200, 200]
    coverage = feather_weights(torch.from_numpy(mask_levels()).float()[None] / 255, 3)
    assert (coverage[0, HOLE] == 1).all()


def test_a_feather_wider_than_what_is_worked_on_is_refused_in_large_images(tmp_path: Path) -> None:
    large, small = (saved(tmp_path / f"{side}.png", noise(side, side)) for side in (80, 64))
    holes = [
        saved(tmp_path / f"m{side}.png", np.pad(np.full((40, 40), 255, np.uint8), (side - 40) // 2))
        for side in (80, 64)
    ]
    with pytest.raises(UsageError, match=r"80\.png: --feather 17 is too wide.* use --feather 16"):
        used(large, tmp_path / "out.png", mask=holes[0], feather=17)
    used(large, tmp_path / "out.png", mask=holes[0], feather=17, context=17)
    used(large, tmp_path / "out.png", mask=saved(tmp_path / "small.png", mask_levels(80, 80)), feather=17)
    used(small, tmp_path / "out.png", mask=holes[1], feather=17)


@pytest.mark.parametrize("side", [20, 90])
def test_the_widest_feather_ends_without_an_edge(side: int) -> None:
    image, mask = torch.full((1, 3, 200, 200), 0.1), torch.zeros(1, 1, 200, 200)
    mask[..., 60 : 60 + side, 60 : 60 + side] = 1
    output = Smear(InpaintingPredictOptions(feather=16)).predict({"input": image, "mask": mask}, Networks({}))["output"]
    steps = output[0, 0, 70, :60].diff().abs()
    assert steps.max() < 1.01 * 0.1 / 17


def test_poisson_takes_the_colors_at_the_seam_from_the_image(tmp_path: Path) -> None:
    levels = np.full((24, 20, 3), 200, dtype=np.uint8)
    path, file = saved(tmp_path / "photo.png", levels), saved(tmp_path / "m.png", mask_levels())
    assert (used(path, tmp_path / "out.png", mask=file, blend="poisson") == 200).all()


@given(
    height=st.integers(2, 150),
    width=st.integers(2, 150),
    seed=st.integers(0, 1000),
    boxes=st.integers(1, 4),
    feather=st.sampled_from([0, 0, 4]),
)
@settings(max_examples=25, deadline=None)
def test_beyond_the_hole_and_its_feather_nothing_ever_changes(
    height: int, width: int, seed: int, boxes: int, feather: int
) -> None:
    rng = torch.Generator().manual_seed(seed)
    image, mask = torch.rand(1, 3, height, width, generator=rng), torch.zeros(1, 1, height, width)
    for _ in range(boxes):
        top, left, rows, columns = (
            int(torch.randint(1, side + 1, (), generator=rng)) for side in (height, width, height, width)
        )
        mask[..., top : top + rows, left : left + columns] = 1
    task = Smear(InpaintingPredictOptions(feather=feather))
    output = task.predict({"input": image, "mask": mask}, Networks({}))["output"]
    untouched = (dilate(mask, feather) < 0.5).expand_as(image)
    assert torch.equal(output[untouched], image[untouched])
    assert output.min() >= 0
    assert output.max() <= 1
    assert all(max(shown.shape[-2:]) <= 64 for shown, _ in task.seen)
    assert all(bool((shown * hole == 0).all()) for shown, hole in task.seen)  # nobody sees what is to be removed


def test_holes_far_apart_are_filled_as_if_each_were_alone() -> None:
    image = torch.rand(1, 3, 100, 300, generator=torch.Generator().manual_seed(0))
    first, second = torch.zeros(1, 1, 100, 300), torch.zeros(1, 1, 100, 300)
    first[..., 10:30, 20:45] = 1
    second[..., 60:75, 250:270] = 1
    both, one, other = (
        Smear().predict({"input": image, "mask": mask}, Networks({}))["output"]
        for mask in (first + second, first, second)
    )
    assert torch.equal(both, torch.where(first > 0, one, other))


def test_a_hole_is_seen_with_what_is_around_it_at_the_working_size() -> None:
    task = Smear(InpaintingPredictOptions(window=48, context=8))
    mask = torch.zeros(1, 1, 200, 200)
    mask[..., 90:110, 0:20] = 1
    task.predict({"input": torch.rand(1, 3, 200, 200), "mask": mask}, Networks({}))
    ((image, hole),) = task.seen
    assert image.shape[-2:] == (48, 48)
    assert int(hole.sum()) == 400
    assert hole[0, 0, :, 0].any()  # the hole lies at the image's edge, and the window does too


def test_a_hole_larger_than_the_window_is_filled_coarse_to_fine() -> None:
    task = Smear()
    mask = torch.zeros(1, 1, 220, 400)
    mask[..., 20:200, 50:350] = 1
    image = torch.full((1, 3, 220, 400), 0.8)
    output = task.predict({"input": image, "mask": mask}, Networks({}))["output"]
    assert all(max(shown.shape[-2:]) <= 64 for shown, _ in task.seen)
    assert len(task.seen) > 50  # every part of it, at several scales
    assert torch.equal(output * (1 - mask), image * (1 - mask))
    # What is made is darker than what it is made from, so that the middle, made from coarser answers, is darkest.
    assert output[..., 110, 200].max() < output[..., 22, 55].min() <= 0.4 + 1e-6


def test_a_large_image_is_never_shown_to_the_network_as_a_whole() -> None:
    task = Smear()
    mask = torch.zeros(1, 1, 2000, 3000)
    mask[..., 500:540, 700:760] = 1
    mask[..., 1900:2000, 2980:3000] = 1
    mask[..., 1000, 0:3000] = 1  # a scratch through the whole image
    task.predict({"input": torch.full((1, 3, 2000, 3000), 0.5), "mask": mask}, Networks({}))
    assert max(max(shown.shape[-2:]) for shown, _ in task.seen) == 64
    assert len(task.seen) < 300


def test_halving_looks_only_at_what_is_known() -> None:
    image, mask = torch.full((3, 5, 4), 0.25), torch.zeros(1, 5, 4)
    mask[:, :3, :3] = 1
    small, small_mask = halve(torch.where(mask > 0, torch.tensor(9.0), image), mask)
    assert small_mask[0].tolist() == [[1, 0], [0, 0], [0, 0]]
    assert torch.equal(small[:, small_mask[0] == 0], torch.full((3, 5), 0.25))


def test_an_image_of_the_working_size_needs_one_call_for_a_whole_batch() -> None:
    task = Smear()
    mask = torch.zeros(3, 1, 64, 64)
    mask[:, :, 4:9, 4:50] = 1
    task.predict({"input": torch.rand(3, 3, 64, 64), "mask": mask}, Networks({}))
    assert [tuple(shown.shape) for shown, _ in task.seen] == [(3, 3, 64, 64)]


def test_parts_reach_beyond_the_hole_where_that_is_wanted() -> None:
    mask = torch.zeros(1, 100, 100)
    mask[:, 50:52, 50:52] = 1
    parts = WindowedInpainting(lambda image, hole: torch.full_like(image, 0.5), 32, 8, reach=3)
    changed = (parts.inpaint(torch.zeros(3, 100, 100), mask) != 0).any(0)
    assert int(changed.sum()) == 8 * 8
