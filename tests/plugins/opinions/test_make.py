"""``restore mos make``: which images are in the page, and what is refused."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.pages.page import read_data
from restore.core.testing import check_settings

Results = Callable[..., list[str]]


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Return exit status, standard output and standard error of a command."""
    result = CliRunner().invoke(app, ["mos", "make", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def make(folder: Path, *arguments: str | Path) -> tuple[str, dict[str, Any]]:
    """Make a page; return it and its data."""
    page = folder / "study.html"
    status, _, errors = run(*arguments, "--output", page, "--overwrite")
    assert status == 0, errors
    text = page.read_text("utf-8")
    return text, read_data(text.encode())


def test_the_page_has_every_image_unchanged_and_no_name_that_can_be_read(tmp_path: Path, results: Results) -> None:
    text, data = make(tmp_path, *results(), "--title", "Faces & co")
    assert data["study"]["methods"] == ["bicubic", "gan"]
    assert data["study"]["images"] == ["a", "b", "c"]
    for method, folder in {"bicubic": "bicubic", "gan": "gan", "reference": "hr"}.items():
        address = data["sources"][data["files"]["b"][method]]
        assert base64.b64decode(address.partition(",")[2]) == (tmp_path / folder / "b.png").read_bytes()
    visible = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL)
    assert "Faces &amp; co" in visible
    assert not re.search(r"bicubic|gan\b|hr\b", visible)
    assert "connect-src" not in text
    assert not re.search("https?:", text)
    assert data["repeats"] == 1


def test_equal_arguments_make_equal_pages_and_a_seed_makes_another_study(tmp_path: Path, results: Results) -> None:
    arguments = results()
    first, data = make(tmp_path, *arguments)
    assert make(tmp_path, *arguments)[0] == first
    assert make(tmp_path, *arguments, "--seed", "1")[1]["study"]["id"] != data["study"]["id"]


def test_formats_that_browsers_lack_become_png_with_the_same_pixels(tmp_path: Path, results: Results) -> None:
    arguments = results()
    levels = np.random.default_rng(5).integers(256, size=(36, 48, 3), dtype=np.uint8)
    Image.fromarray(levels).save(tmp_path / "gan" / "a.tiff")
    (tmp_path / "gan" / "a.png").unlink()
    _, data = make(tmp_path, *arguments)
    address = data["sources"][data["files"]["a"]["gan"]]
    assert address.startswith("data:image/png;base64,")
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))
    assert np.array_equal(decoded, levels)


def test_equal_images_are_in_the_page_once(tmp_path: Path, results: Results) -> None:
    arguments = results()
    (tmp_path / "gan" / "a.png").write_bytes((tmp_path / "hr" / "a.png").read_bytes())
    _, data = make(tmp_path, *arguments)
    assert data["files"]["a"]["gan"] == data["files"]["a"]["reference"]
    assert len(data["sources"]) == 8


def test_names_may_say_the_scale_and_folders_of_one_name_are_told_apart(tmp_path: Path, results: Results) -> None:
    results(("one/out", "two/out"))
    for image in "abc":
        (tmp_path / "two" / "out" / f"{image}.png").rename(tmp_path / "two" / "out" / f"{image}_x4.png")
    both = ["--inputs", tmp_path / "one" / "out", "--inputs", tmp_path / "two" / "out"]
    _, data = make(tmp_path, *both, "--method", "pairs")
    assert data["study"]["methods"] == ["one/out", "two/out"]
    assert data["study"]["images"] == ["a", "b", "c"]
    assert data["study"]["reference"] is None


def test_images_for_practice_are_not_in_the_test(tmp_path: Path, results: Results) -> None:
    _, data = make(tmp_path, *results(), "--training-image", "b", "--repeats", "99", "--training", "2")
    assert data["study"]["images"] == ["a", "c"]
    assert data["training_images"] == ["b"]
    assert data["repeats"] == 6  # all of them


def test_a_server_may_get_the_answers_and_nothing_else_may_be_asked(tmp_path: Path, results: Results) -> None:
    text, data = make(tmp_path, *results(), "--post", "http://localhost:8000/answers")
    assert data["post"] == "http://localhost:8000/answers"
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "connect-src http://localhost:8000/answers; " in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;; img-src data: blob:; ")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--method", "double", "--inputs", "gan"], 2, "give --reference DIR"),
        (["--method", "pairs", "--inputs", "gan"], 2, "compares two folders or more"),
        (["--inputs", "gan", "--inputs", "gan"], 2, "one folder is given twice"),
        (["--inputs", "nowhere"], 2, "no such folder"),
        (["--inputs", "gan", "--training-image", "z"], 2, "no such image; there are a, b, c"),
        (
            ["--inputs", "gan", *("--training-image", "a"), *("--training-image", "b"), *("--training-image", "c")],
            2,
            "none is left",
        ),
        (["--inputs", "gan", "--post", "javascript:alert(1)"], 2, "or an address"),
        (["--inputs", "gan", "--post", "http://x/; script-src *"], 2, "or an address"),
        (["--inputs", "gan", "--post", "//elsewhere/answers"], 2, "or an address"),
        (["--inputs", "gan", "--post", ""], 2, "or an address"),
        (["--inputs", "gan", "--inputs", "fewer"], 2, "has no image b, which"),
        (["--inputs", "gan", "--inputs", "smaller"], 2, "has 24 x 36 pixels and"),
        (["--inputs", "gan", "--inputs", "more"], 2, "d.png: no image of this name in gan"),
        (["--inputs", "twice"], 2, "another image has the same name"),
        (["--inputs", "broken"], 1, "is damaged or truncated"),
        ([], 2, "give the results of each method with --inputs DIR"),
    ],
)
def test_what_does_not_fit_is_refused_and_no_page_is_left(
    tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, message: str
) -> None:
    results(("gan", "fewer", "smaller", "broken", "twice"))
    results(("more",), tuple("abcd"))
    (tmp_path / "fewer" / "b.png").unlink()
    (tmp_path / "twice" / "a.bmp").write_bytes((tmp_path / "twice" / "a.png").read_bytes())
    small = tmp_path / "smaller" / "b.png"
    Image.open(small).crop((0, 0, 24, 36)).save(small)
    whole = (tmp_path / "broken" / "c.png").read_bytes()
    (tmp_path / "broken" / "c.png").write_bytes(whole[: len(whole) // 2])
    monkeypatch.chdir(tmp_path)
    found, _, errors = run(*arguments, "--output", "study.html")
    assert (found, message in errors) == (status, True), errors
    assert not (tmp_path / "study.html").exists()


def test_a_page_that_is_too_large_and_one_that_exists_are_refused(tmp_path: Path, results: Results) -> None:
    arguments = results()
    noise = np.random.default_rng(0).integers(256, size=(700, 700, 3), dtype=np.uint8)
    for method in ("bicubic", "gan", "hr"):
        Image.fromarray(noise).save(tmp_path / method / "a.png")
    status, _, errors = run(*arguments, "--output", tmp_path / "page.html", "--max-megabytes", "1")
    assert status == 2
    assert "larger than 1 MB in a page" in errors
    (tmp_path / "page.html").write_text("mine")
    status, _, errors = run(*arguments, "--output", tmp_path / "page.html")
    assert (status, "already exists" in errors) == (2, True)
    assert (tmp_path / "page.html").read_text() == "mine"


@pytest.mark.parametrize("command", ["mos make", "mos collect", "mos score"])
def test_every_flag_has_a_help_and_a_default(command: str) -> None:
    check_settings(registry.entry("commands", command))
