"""``restore data prepare``."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from restore.cli.app import app
from restore.core.images.files import read_image, write_image
from restore.plugins.common.images.prepare import cut, halve_until, measure_detail


def run(*arguments: str | Path) -> tuple[int, str]:
    """Return exit status and output of a command."""
    result = CliRunner().invoke(app, ["data", "prepare", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a noisy image of 100 x 70 pixels, and a flat one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    write_image(folder / "noise.png", torch.rand(3, 70, 100, generator=torch.Generator().manual_seed(0)))
    write_image(folder / "flat.png", torch.full((3, 70, 100), 0.5))
    return folder


def test_sub_images_lie_in_the_middle_and_equal_their_source(photos: Path) -> None:
    out = photos.parent / "out"
    status, told = run(photos, "--output", out, "--size", 32)
    assert status == 0
    assert "12 sub-images of 32 x 32 pixels" in told
    whole = read_image(photos / "noise.png").color
    assert torch.equal(read_image(out / "noise_00003_00034.png").color, whole[:, 3:35, 34:66])


def test_flat_ones_are_left_out_and_counted(photos: Path) -> None:
    status, told = run(photos, "--output", photos.parent / "out", "--size", 32, "--min-detail", 1)
    assert status == 0
    assert "6 sub-images of" in told
    assert "6 sub-images are flatter than --min-detail 1" in told
    assert all(path.name.startswith("noise") for path in (photos.parent / "out").iterdir())


def test_images_of_one_stem_do_not_replace_each_other(photos: Path) -> None:
    write_image(photos / "noise.tmp.png", torch.zeros(3, 40, 40))
    (photos / "noise.tmp.png").rename(photos / "noise.jpg")
    status, told = run(photos, "--output", photos.parent / "out", "--size", 32)
    assert status == 0
    assert "13 sub-images" in told
    assert len(list((photos.parent / "out").iterdir())) == 13


def test_a_damaged_image_is_named_and_the_rest_is_cut(photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    (photos / "bad.png").write_bytes(b"not an image")
    status, _ = run(photos, "--output", photos.parent / "out", "--size", 64)
    assert status == 1
    assert "bad.png" in caplog.text
    assert len(list((photos.parent / "out").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", 128], "2 images are smaller than --size 128"),
        (["--size", 32, "--output", "."], "is the folder of the images"),
        (["--size", 8], "--size"),
    ],
)
def test_wrong_use_is_one_sentence(
    photos: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str | int], words: str
) -> None:
    monkeypatch.chdir(photos)
    status, told = run(".", "--output", photos.parent / "out", *map(str, arguments))
    assert status == 2
    assert words in " ".join(told.split())


def test_existing_files_are_not_replaced_unasked(photos: Path) -> None:
    once = (photos, "--output", photos.parent / "out", "--size", 32)
    assert run(*once)[0] == 0
    status, told = run(*once)
    assert status == 2
    assert "--overwrite" in told
    assert run(*once, "--overwrite")[0] == 0


@given(height=st.integers(1, 90), width=st.integers(1, 90), size=st.integers(8, 40), step=st.integers(4, 50))
def test_sub_images_are_whole_and_a_step_apart(height: int, width: int, size: int, step: int) -> None:
    image = torch.arange(height * width).reshape(1, height, width)
    parts = list(cut(image, size, step))
    assert (not parts) == (min(height, width) < size)
    assert all(torch.equal(part, image[:, top : top + size, left : left + size]) for top, left, part in parts)
    assert all(part.shape == (1, size, size) for *_, part in parts)
    rows = sorted({top for top, *_ in parts})
    assert all(after - before == step for before, after in itertools.pairwise(rows))
    if rows:  # what is left over at the bottom differs from that at the top by at most one pixel
        assert abs((height - size - rows[-1]) - rows[0]) <= 1


def test_large_images_are_halved_until_they_fit() -> None:
    image = torch.rand(3, 64, 100, generator=torch.Generator().manual_seed(0))
    assert halve_until(image, None) is image
    assert halve_until(image, 30).shape == (3, 16, 25)
    assert torch.allclose(halve_until(image, 50)[:, 0, 0], image[:, :2, :2].mean((1, 2)))


def test_detail_is_the_mean_change_of_luma() -> None:
    stripes = torch.zeros(3, 8, 8)
    stripes[..., ::2] = 10 / 255
    assert measure_detail(stripes) == pytest.approx(5, rel=1e-4)  # 10 across, 0 down
