"""Strips, animations, and images brought to one size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image, ImageSequence
from torchvision.transforms.v2.functional import pil_to_tensor, to_dtype

from restore.core.errors import UsageError
from restore.core.images.files import read_image
from restore.plugins.common.animation import check_kind, resize_to_cover, write_animation

SHADES = torch.tensor([0.0, 0.25, 0.6, 1.0])


def plain_frames() -> list[torch.Tensor]:
    return [shade.expand(3, 4, 6) for shade in SHADES]


def test_a_strip_has_its_frames_from_left_to_right(tmp_path: Path) -> None:
    write_animation(tmp_path / "strip.PNG", plain_frames())
    strip = read_image(tmp_path / "strip.PNG").color
    expected = SHADES.repeat_interleave(6).expand(3, 4, 24)
    torch.testing.assert_close(strip, expected, atol=0.5 / 255, rtol=0)


def test_an_animation_walks_there_and_back_for_ever(tmp_path: Path) -> None:
    output = tmp_path / "walk.gif"
    write_animation(output, plain_frames(), milliseconds=200)
    with Image.open(output) as animation:
        assert (animation.format, animation.info["loop"], animation.info["duration"]) == ("GIF", 0, 200)
        shown = [pil_to_tensor(frame.convert("RGB")) for frame in ImageSequence.Iterator(animation)]
    assert all(frame.shape == (3, 4, 6) for frame in shown)
    assert [frame.unique().tolist() for frame in shown] == [[0], [64], [153], [255], [153], [64]]


def test_values_outside_of_the_range_are_clipped(tmp_path: Path) -> None:
    write_animation(tmp_path / "walk.gif", [torch.full((3, 2, 2), -3.0), torch.full((3, 2, 2), 4.0)])
    with Image.open(tmp_path / "walk.gif") as animation:
        shown = [pil_to_tensor(frame.convert("RGB")).unique().tolist() for frame in ImageSequence.Iterator(animation)]
    assert shown == [[0], [255]]


@pytest.mark.parametrize("name", ["walk.jpg", "walk"])
def test_other_kinds_of_file_are_refused_and_none_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"--output .*walk.*\.png or \.gif"):
        write_animation(tmp_path / name, plain_frames())
    assert not (tmp_path / name).exists()


def test_the_case_of_an_ending_does_not_matter() -> None:
    check_kind(Path("a.GIF"), ".gif")


@pytest.mark.parametrize(("height", "width"), [(60, 20), (20, 60), (80, 90), (30, 30)])
def test_a_fitted_image_covers_the_size_without_distortion(height: int, width: int) -> None:
    """A disc in the middle stays a disc in the middle, and nothing but image is seen."""
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    marked = 0.5 + 0.5 * (((rows - height / 2) ** 2 + (columns - width / 2) ** 2).sqrt() < min(height, width) / 4)
    image = resize_to_cover(marked.expand(3, -1, -1), 40, 40)
    assert image.shape == (3, 40, 40)
    assert image.min() > 0.4
    bright = to_dtype(image[0] > 0.75, torch.float32)
    assert bright.sum(0).max() == pytest.approx(bright.sum(1).max(), abs=4)
    assert bright.flip(0).flip(1).sub(bright).abs().mean() < 0.05


def test_height_and_width_are_not_exchanged() -> None:
    assert resize_to_cover(torch.rand(1, 5, 9), 12, 7).shape == (1, 12, 7)
