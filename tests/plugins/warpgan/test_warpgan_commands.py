"""``restore data align``, ``restore control-points`` and ``restore exaggerate``."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from built import networks_of
from drawing_weights import write_faces
from PIL import Image

from restore.cli.app import app
from restore.core.errors import RestoreError, UsageError
from restore.core.images.files import read_image, write_image
from restore.plugins.warpgan import commands
from restore.plugins.warpgan.commands import align, exaggerate
from restore.plugins.warpgan.data.alignment import reference
from restore.plugins.warpgan.options import AlignSettings, ExaggerateSettings
from restore.plugins.warpgan.task import WarpGAN


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Two people with one image each and their landmarks, a file each."""
    for place, identity in enumerate(("Ann", "Bob")):
        (tmp_path / "images" / identity).mkdir(parents=True)
        Image.new("RGB", (90, 70), (200, 100 * place, 0)).save(tmp_path / "images" / identity / "P00001.jpg")
        (tmp_path / "points" / identity).mkdir(parents=True)
        text = "\n".join(f"{x} {y}" for x, y in reference(60) + 5 * place)
        (tmp_path / "points" / identity / "P00001.txt").write_text(text)
    return tmp_path


def test_images_are_aligned_by_their_landmarks(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    align(AlignSettings(folder=faces / "images", output=faces / "out", landmarks=faces / "points", size=32))
    assert [read_image(faces / "out" / who / "P00001.png").size for who in ("Ann", "Bob")] == [(32, 32)] * 2
    assert "2 of 2 images" in capsys.readouterr().out


def test_an_image_beside_the_folders_of_people_is_aligned_too(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (faces / "images" / "stranger.jpg").write_bytes((faces / "images" / "Ann" / "P00001.jpg").read_bytes())
    (faces / "points" / "stranger.txt").write_text((faces / "points" / "Ann" / "P00001.txt").read_text())
    align(AlignSettings(folder=faces / "images", output=faces / "out", landmarks=faces / "points", size=32))
    assert read_image(faces / "out" / "stranger.png").size == (32, 32)
    assert "3 of 3 images" in capsys.readouterr().out


def test_what_was_found_is_drawn_beside(faces: Path) -> None:
    align(
        AlignSettings(
            folder=faces / "images", output=faces / "out", landmarks=faces / "points", size=32, visualize=True
        )
    )
    shown = read_image(faces / "out-landmarks" / "Ann" / "P00001.png").color
    x, y = reference(60)[1].round().astype(int)
    assert shown[:, y, x].tolist() == [0.0, 1.0, 0.0]  # the second landmark is green


def test_an_image_without_landmarks_is_named_and_the_others_go_on(
    faces: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (faces / "points" / "Ann" / "P00001.txt").unlink()
    with caplog.at_level(logging.WARNING), pytest.raises(RestoreError, match="1 of 2 images could not be aligned"):
        align(AlignSettings(folder=faces / "images", output=faces / "out", landmarks=faces / "points", size=32))
    assert "no landmarks" in caplog.text
    assert (faces / "out" / "Bob" / "P00001.png").is_file()


def test_without_landmarks_and_detector_the_middle_is_cut_out_with_a_warning(
    faces: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "find_detector", lambda chosen: None)
    with caplog.at_level(logging.WARNING):
        align(AlignSettings(folder=faces / "images" / "Ann", output=faces / "out", size=32))
    assert "--detector yunet" in caplog.text
    assert (faces / "out" / "P00001.png").is_file()


def test_a_detector_is_asked_where_there_is_one(faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "find_detector", lambda chosen: lambda image: None)
    with pytest.raises(RestoreError, match="2 of 2"):
        align(AlignSettings(folder=faces / "images", output=faces / "out", size=32))
    monkeypatch.setattr(commands, "find_detector", lambda chosen: lambda image: np.asarray(reference(50)))
    align(AlignSettings(folder=faces / "images", output=faces / "out", size=32))
    assert (faces / "out" / "Ann" / "P00001.png").is_file()


def test_aligned_images_do_not_replace_others_unasked(faces: Path) -> None:
    settings = AlignSettings(folder=faces / "images", output=faces / "out", landmarks=faces / "points", size=32)
    align(settings)
    with pytest.raises(UsageError, match="already exists"):
        align(settings)
    align(settings.model_copy(update={"overwrite": True}))


def test_images_with_landmarks_do_not_replace_others_unasked(faces: Path) -> None:
    shown = faces / "out-landmarks" / "Bob" / "P00001.png"
    write_image(commands.writable_folder(shown.parent) / shown.name, torch.rand(3, 8, 8))
    before = shown.read_bytes()
    settings = AlignSettings(
        folder=faces / "images", output=faces / "out", landmarks=faces / "points", size=32, visualize=True
    )
    with pytest.raises(UsageError, match=r"out-landmarks.Bob.P00001.png: already exists"):
        align(settings)
    assert shown.read_bytes() == before
    assert not (faces / "out").exists()
    align(settings.model_copy(update={"overwrite": True}))
    assert shown.read_bytes() != before


def test_originals_are_not_replaced_even_if_asked(faces: Path) -> None:
    source = faces / "me-landmarks"
    source.mkdir()
    write_image(source / "p.png", torch.rand(3, 40, 40))
    before = (source / "p.png").read_bytes()
    for output in (faces / "me", source):
        with pytest.raises(UsageError, match=r"p.png would replace one of the input images"):
            align(AlignSettings(folder=source, output=output, size=16, visualize=True, overwrite=True))
    assert (source / "p.png").read_bytes() == before


def test_hidden_files_are_no_images(faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "find_detector", lambda chosen: None)
    images = faces / "images" / "Ann"
    (images / "__MACOSX" / "folder.jpg").mkdir(parents=True)
    (images / "__MACOSX" / "._P00001.jpg").write_bytes(b"no image")
    align(AlignSettings(folder=images, output=faces / "out", size=16))
    assert [path.name for path in (faces / "out").iterdir()] == ["P00001.png"]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        align(AlignSettings(folder=tmp_path / "nothing"))
    with pytest.raises(UsageError, match="no images"):
        align(AlignSettings(folder=tmp_path))


@pytest.fixture
def task() -> WarpGAN:
    torch.manual_seed(0)
    made = WarpGAN(WarpGAN.tiny_settings())
    torch.nn.init.normal_(networks_of(made)["generator"].decoder.last.weight, std=0.2)
    torch.nn.init.normal_(networks_of(made)["generator"].warp.displacements.weight, std=3)
    return made


@pytest.mark.parametrize(("name", "size"), [("strip.png", (70, 3 * 90)), ("film.gif", (70, 90))])
def test_a_photograph_is_exaggerated_more_and_more(faces: Path, task: WarpGAN, name: str, size: tuple) -> None:
    photo, output = faces / "images" / "Ann" / "P00001.jpg", faces / name
    exaggerate(task, networks_of(task), ExaggerateSettings(image=photo, output=output, steps=3))
    assert read_image(output).size == size
    if name.endswith(".gif"):
        with Image.open(output) as film:
            assert film.n_frames == 4  # there and back


def test_an_output_of_another_kind_is_refused_before_the_work(faces: Path, task: WarpGAN) -> None:
    with pytest.raises(UsageError, match=r"--output .*x.mp4: not a"):
        exaggerate(task, networks_of(task), ExaggerateSettings(image=faces / "no.jpg", output=faces / "x.mp4"))


def test_the_photograph_is_not_replaced_by_its_caricatures(faces: Path, task: WarpGAN) -> None:
    photo = faces / "photo.png"
    write_image(photo, torch.rand(3, 32, 32))
    before = photo.read_bytes()
    with pytest.raises(UsageError, match=r"photo.png: already exists"):
        exaggerate(task, networks_of(task), ExaggerateSettings(image=photo, output=photo))
    assert photo.read_bytes() == before


def test_align_is_a_command_of_the_group_data(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["data", "align", str(faces / "images"), "--landmarks", str(faces / "points"), "--size", "32"]
    with pytest.raises(SystemExit) as ended:
        app([*words, "--output", str(faces / "out")])
    assert ended.value.code in (0, None)
    assert (faces / "out" / "Bob" / "P00001.png").is_file()


def test_printed_control_points_give_the_predicted_warp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_faces(Path("faces.safetensors"))
    torch.manual_seed(1)
    write_image(Path("face.png"), torch.rand(3, 40, 30))

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as left:
            app(list(words))
        assert left.value.code == 0
        return capsys.readouterr().out

    points = run("control-points", "faces.safetensors", "face.png")
    words = ("predict", "faces.safetensors", "face.png", "--styles", "1", "--output")
    run(*words, "free")
    run(*words, "given", "--control-points", points)
    run(*words, "other", "--control-points", "[[10, 10, 20, 15]]")
    free, given, other = (read_image(Path(name) / "face-style1.png").color for name in ("free", "given", "other"))
    assert (free - given).abs().max() < 1.5 / 255
    assert (free - other).abs().max() > 0.1
