"""``restore predict … --compare``: several models side by side."""

import re

import numpy as np
import pytest
from PIL import Image

from restore.cli.prediction import comparison_page
from restore.cli.prediction.crops import Version, cut_crops


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def compared(restore, weights, photo, tmp_path):
    """The folder of a comparison of a run and two methods on two images, one of which has a bad name."""
    weights("runs/first/best.safetensors")
    (tmp_path / "runs" / "first" / "config.yaml").touch()
    photo("in/a.png", 32, 40)
    photo("in/<b>.png", 8, 6)
    models = ("runs/first", "repeat", "bicubic")
    status, out, err = restore("predict", *models, "in", "--output", "out", "--compare")
    assert status == 0, err
    assert out.splitlines()[-2:] == ["out/compare.html", "out/contact-sheet.png"]
    assert "2 images written to out/first; " in err
    return tmp_path / "out"


def test_every_model_gets_a_folder_beside_sheet_and_page(compared, restore, tmp_path):
    assert names(compared) == ["bicubic", "compare.html", "contact-sheet.png", "first", "repeat"]
    assert names(compared / "first") == ["<b>.png", "a.png"]
    # methods take the scale of the run, and results are those of each model alone
    assert restore("predict", "bicubic", "in/a.png", "--scale", 2, "--output", "alone")[0] == 0
    assert (tmp_path / "alone" / "a.png").read_bytes() == (compared / "bicubic" / "a.png").read_bytes()


def test_the_page_holds_each_image_once_and_asks_nobody(compared):
    page = (compared / "compare.html").read_text("utf-8")
    assert page.count("data:image/png;base64,") == 2 * 4
    assert page.count("<compare-slider><img class") == 2
    assert re.findall(r'<zoom-view group="(\d)"', page) == ["1"] * 4 + ["2"] * 4
    assert "<h2>&lt;b&gt;</h2>" in page
    assert "<b>" not in page  # no part of a name is markup
    assert "default-src &#39;none&#39;" in page
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_the_sheet_has_a_column_for_each_model_and_a_row_for_each_image(compared):
    with Image.open(compared / "contact-sheet.png") as sheet:
        assert sheet.width == 8 + 4 * (256 + 8)
        assert sheet.height == 30 + (64 + 30) + (16 + 30)
        pixels = np.asarray(sheet)
    with Image.open(compared / "first" / "a.png") as result:
        whole = np.asarray(result)
    order = 30 + 22 + (16 + 30)  # <b>.png comes first
    assert (pixels[order : order + 64, 8 + 264 : 8 + 264 + 80] == whole).all()


def test_a_result_that_is_missing_is_said(restore, weights, photo, tmp_path):
    photo("in/unwanted.png")
    photo("in/a.png")
    status, _, err = restore("predict", weights(), "repeat", "in", "--output", "out", "--compare")
    assert status == 1
    assert "in/unwanted.png: this one is not wanted" in err
    assert err.splitlines()[-1] == "Error: 1 of 4 results are missing"
    assert names(tmp_path / "out" / "w") == ["a.png", "unwanted.png"]
    assert (tmp_path / "out" / "compare.html").read_text("utf-8").count("failed") == 1


def test_pages_do_not_grow_without_end(restore, weights, photo, tmp_path, monkeypatch):
    monkeypatch.setattr(comparison_page, "LARGEST", 2500)
    for number in range(4):
        photo(f"in/{number}.png", 10, 10, seed=number)
    assert restore("predict", weights(), "in", "--output", "out", "--compare")[0] == 0
    page = (tmp_path / "out" / "compare.html").read_text("utf-8")
    shown, left_out = page.count("<section>"), re.search(r"(\d) more images? (is|are) left out", page)
    assert left_out is not None
    assert shown + int(left_out[1]) == 4
    assert comparison_page.choose_side(4) <= 1024
    assert comparison_page.choose_side(10_000) == 256


def test_crops_show_the_same_part_where_most_is_to_be_seen(tmp_path):
    levels = np.full((40, 60, 3), 90, np.uint8)
    levels[20:30, 40:50] = np.random.default_rng(0).integers(0, 256, (10, 10, 3))
    Image.fromarray(levels).save(tmp_path / "small.png")
    Image.fromarray(levels.repeat(3, 0).repeat(3, 1)).save(tmp_path / "large.png")
    versions = [Version(name, tmp_path / f"{name}.png") for name in ("small", "large")]
    crops, place = cut_crops([*versions, Version("none", None)], 30)
    assert place == "30 x 30 of 180 x 120 pixels, from 120, 60"
    small, large, none = crops
    assert (np.asarray(small.image) == np.asarray(large.image)).all()
    assert (np.asarray(large.image) == levels[20:30, 40:50].repeat(3, 0).repeat(3, 1)).all()
    assert (small.about, large.about, none.image) == ("60 x 40, upscaled", "180 x 120", None)


def test_models_of_one_name_get_more_of_their_paths(restore, weights, photo, tmp_path):
    for run in ("one", "two"):
        weights(f"{run}/best.safetensors")
    arguments = ("one/best.safetensors", "two/best.safetensors", photo(), "--output", "out", "--compare")
    assert restore("predict", *arguments)[0] == 0
    assert {"one-best", "two-best"} <= set(names(tmp_path / "out"))
    status, _, err = restore("predict", "repeat", "repeat", photo(), "--output", "out", "--compare")
    assert status == 2
    assert "repeat is given twice; --compare needs different models" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("repeat", "bicubic", "photo.png"), "bicubic is a model, not an image; to apply several models, give all of"),
        (("repeat", "run", "photo.png"), "run is a run, not an image; to apply several models, give all of them first"),
        (("repeat", "bicubik", "photo.png", "--compare"), "'bicubik'; did you mean 'bicubic'"),
        (("repeat", "photo.png", "--compare", "--output", "-"), "--compare writes several files; name a folder"),
        (("repeat", "otsu", "photo.png", "--compare", "--outputs", "mask"), "but not of everything that is compared"),
    ],
)
def test_words_that_cannot_be_meant_lead_on(restore, photo, tmp_path, words, said):
    photo()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").touch()
    status, out, err = restore("predict", *words, *(() if "-" in words else ("--output", "out")))
    assert (status, out) == (2, "")
    assert said.replace("'", "") in err.replace("'", "")


def test_a_page_that_exists_is_refused_before_the_work(restore, weights, photo, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "compare.html").write_text("mine")
    arguments = ("predict", weights(), photo(), "--output", "out", "--compare")
    status, out, err = restore(*arguments)
    assert (status, out) == (2, "")
    assert "out/compare.html: already exists" in err
    assert names(tmp_path / "out") == ["compare.html"]
    assert restore(*arguments, "--overwrite")[0] == 0


@pytest.mark.browser
def test_lists_choose_what_a_slider_shows_and_views_zoom_together(compared, browser):
    browser.get((compared / "compare.html").as_uri())
    state = """
        const section = document.querySelectorAll("section")[1];
        const [left, right] = section.querySelectorAll("select");
        right.value = "bicubic";
        right.dispatchEvent(new Event("change"));
        const views = [...section.querySelectorAll("zoom-view")];
        views[2].dispatchEvent(new KeyboardEvent("keydown", {key: "+"}));
        return {
          shown: [...section.querySelectorAll("compare-slider img")].map((image) => image.alt),
          same: section.querySelectorAll("compare-slider img")[1].src === views[3].querySelector("img").src,
          loaded: [...section.querySelectorAll("img")].every((image) => image.complete && image.naturalWidth > 0),
          moved: new Set(views.map((view) => view.firstElementChild.style.transform)).size,
          others: document.querySelector("section zoom-view").firstElementChild.style.transform,
          zoom: views[0].firstElementChild.style.transform,
        }"""
    found = browser.execute_script(state)
    assert found["shown"] == ["input", "bicubic"]
    assert found["same"]
    assert found["loaded"]
    assert found["moved"] == 1
    assert "scale(1.25)" in found["zoom"]
    assert found["others"] == ""
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
