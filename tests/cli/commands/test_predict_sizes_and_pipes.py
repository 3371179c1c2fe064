"""``restore predict`` from and to pipes, and to sizes that no network has."""

import io

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from restore.cli.app import app


@pytest.fixture
def piped():
    """Run a command line with bytes as its standard input."""

    def run(*arguments, given=b""):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=given, prog_name="restore")

    return run


def doubled(path):
    with Image.open(path) as image:
        return np.asarray(image).repeat(2, 0).repeat(2, 1)


def sizes(folder):
    found = {}
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            found[path.name] = image.size
    return found


def test_an_image_goes_from_standard_input_to_standard_output(piped, weights, photo):
    path = photo()
    result = piped("predict", weights(), "-", "--output", "-", given=path.read_bytes())
    assert (result.exit_code, result.stderr) == (0, "")
    with Image.open(io.BytesIO(result.stdout_bytes)) as image:  # nothing but the file
        assert (image.format, image.size) == ("PNG", (16, 12))
        assert (np.asarray(image) == doubled(path)).all()
    result = piped("predict", weights(), path, "--output", "-", "--output-format", "jpeg")
    assert result.stdout_bytes.startswith(b"\xff\xd8\xff")


def test_standard_input_becomes_a_result_among_others(piped, weights, photo, tmp_path):
    result = piped("predict", weights(), "-", photo("a.png"), "--output", "out", given=photo("b.png").read_bytes())
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "standard input -> out/stdin.png (16 x 12)"
    assert sizes(tmp_path / "out") == {"a.png": (16, 12), "stdin.png": (16, 12)}


@pytest.mark.parametrize(
    ("arguments", "given", "status", "said"),
    [
        (("-", "--output", "out"), b"", 2, "standard input is empty; expected an image"),
        (("-", "--output", "-"), b"no image", 1, "standard input: is not an image"),
        (("-", "-", "--output", "out"), b"x", 2, "- (standard input) is given twice"),
        (("a.png", "b.png", "--output", "-"), b"", 2, "standard output takes one image, not 2; name a folder"),
    ],
)
def test_pipes_that_cannot_be_meant_are_refused(piped, weights, photo, tmp_path, arguments, given, status, said):
    photo("a.png")
    photo("b.png")
    result = piped("predict", weights(), *arguments, given=given)
    assert (result.exit_code, result.stdout_bytes) == (status, b"")
    assert said in result.stderr
    assert str(tmp_path.parent) not in result.stderr
    assert "restore-" not in result.stderr  # the file that holds standard input


def test_several_files_for_one_image_do_not_fit_into_standard_output(piped, photo):
    result = piped("predict", "otsu", photo(), "--output", "-")
    assert (result.exit_code, result.stdout_bytes) == (2, b"")
    assert "this model writes several: the image, overlay, probability" in result.stderr
    assert piped("predict", "otsu", photo(), "--output", "-", "--outputs", "mask").stdout_bytes.startswith(b"\x89PNG")
    result = piped("predict", "repeat", photo(), "--output", "-")  # which says too late what it writes
    assert (result.exit_code, result.stdout_bytes) == (2, b"")


def test_a_terminal_is_no_pipe(restore, weights, photo, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    status, _, err = restore("predict", weights(), "-", "--output", "out")
    assert status == 2
    assert "standard input, which is no file or pipe here; add < photo.jpg" in err
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    status, _, err = restore("predict", weights(), photo(), "--output", "-")
    assert status == 2
    assert "standard output is no file or pipe here; add > photo.png" in err


# --- sizes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "size"),
    [(("--output-scale", 3), (24, 18)), (("--output-scale", 0.5), (4, 3)), (("--fit", "100x100"), (100, 75))],
)
def test_results_are_resized_after_the_network(restore, weights, photo, tmp_path, flags, size):
    status, out, _ = restore("predict", weights(), photo(mode="RGBA"), "--output", "out", *flags)
    assert status == 0
    assert out.endswith(f"out/photo.png ({size[0]} x {size[1]})\n")
    assert sizes(tmp_path / "out") == {"photo.png": size}


def test_masks_are_resized_without_values_in_between(restore, photo, tmp_path):
    photo(height=16, width=16)
    assert restore("predict", "otsu", "photo.png", "--output", "out", "--output-scale", 1.7)[0] == 0
    assert set(sizes(tmp_path / "out").values()) == {(28, 28)}
    with Image.open(tmp_path / "out" / "photo.png") as mask:
        assert set(np.unique(np.asarray(mask))) == {0, 255}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--scale", 3), "has scale=2, which training has fixed; leave --scale out, use other weights, or resize the "),
        (("--scale", 3), "results with --output-scale 3"),
        (("--scale=3",), "results with --output-scale 3"),
        (("--fit", "1920"), "expected WIDTHxHEIGHT in pixels, such as 3840x2160"),
        (("--fit", "0x5"), "expected WIDTHxHEIGHT in pixels"),
        (("--fit", "5x5", "--output-scale", 2), "--output-scale and --fit exclude each other"),
        (("--output-scale", 0), "--output-scale: should be greater than 0"),
        (("--self-ensemble",), "this model is not made for flipped and turned images"),
    ],
)
def test_sizes_that_cannot_be_meant_lead_on(restore, weights, photo, flags, said):
    status, out, err = restore("predict", weights(), photo(), "--output", "out", *flags)
    assert (status, out) == (2, "")
    assert said in err


def test_an_ensemble_is_said_beside_its_numbers(restore, weights, photo, monkeypatch):
    photo("data/a.png", 12, 12)
    twice = weights()
    assert restore("evaluate", twice, "--data", "data", "--self-ensemble")[0] == 2
    monkeypatch.setattr("restore.core.method.Method.equivariant", True)
    status, out, _ = restore("evaluate", twice, "repeat", "--data", "data", "--self-ensemble")
    assert status == 0
    assert "(self-ensemble)" in out
    assert "repeat (self-ensemble)" not in out
