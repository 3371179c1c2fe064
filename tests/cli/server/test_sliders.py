"""Sliders, classes and control points of the page in a real browser: what they show is what the command line writes."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from browsing import wait_for
from drawing_weights import write_codes, write_faces
from PIL import Image

from restore.cli.app import app
from restore.plugins.unet.data.nuclei import draw

pytestmark = pytest.mark.browser


@pytest.fixture
def server(make_server, tmp_path):
    write_faces(tmp_path / "faces.safetensors")
    write_codes(tmp_path / "codes.safetensors")
    return make_server("nuclei", "faces.safetensors", "codes.safetensors")


@pytest.fixture
def cells(tmp_path):
    """Drawn nuclei."""
    Image.fromarray(np.asarray(draw(3, 1, 64).image)).save(tmp_path / "cells.png")
    return tmp_path / "cells.png"


def predict(*words):
    with pytest.raises(SystemExit) as left:
        app(["predict", *map(str, words)])
    assert left.value.code == 0


def move(page, selector, value):
    """Put a slider somewhere; as a person does, first moving it, then releasing it."""
    script = """
        arguments[0].value = arguments[1];
        for (const name of ["input", "change"]) arguments[0].dispatchEvent(new Event(name));
    """
    page.browser.execute_script(script, page.find(selector), value)


def address(page, name):
    """The address of a result in the page, which is another one for each prediction; None while there is none."""
    links = [link for link in page.find_all("#results a.download") if link.get_attribute("download") == name]
    return links[0].get_attribute("href") if links and not page.find_all("#results progress") else None


def result(page, name, after=None):
    """Wait for a result that is not the one at an address, and download it."""
    wait_for(lambda: address(page, name) not in (None, after))
    (page.folder / name).unlink(missing_ok=True)
    page.browser.execute_script(
        "[...document.querySelectorAll('a.download')].find((each) => each.download === arguments[0]).click()", name
    )
    return wait_for(lambda: (page.folder / name).exists() and (page.folder / name).read_bytes())


def jobs(page):
    return [job.id for job in page.server.running.queue._jobs.values()]


def test_a_threshold_is_moved_without_a_prediction_and_then_written(page, cells, tmp_path):
    page.pick(cells)
    page.choose("nuclei")
    page.run()
    probability = np.asarray(Image.open(io.BytesIO(result(page, "cells-probability.png"))))
    before = jobs(page)
    painted = """
        const canvas = document.querySelector("canvas.classes");
        return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
    """
    for limit in (127, 20):
        move(page, ".controls input[max='254']", limit)
        threshold = (limit + 0.5) / 255
        out = tmp_path / str(limit)
        predict("nuclei", cells, "--threshold", threshold, "--outputs", "mask", "--output", out)
        wanted = np.asarray(Image.open(out / "cells.png")) > 0
        shown = np.reshape(page.browser.execute_script(painted), (64, 64, 4))
        assert np.array_equal(shown[..., 3] > 0, wanted)
        assert 0 < wanted.sum() < wanted.size
        assert page.find(".legend .share").text == f"{100 * wanted.mean():.2f}".rstrip("0").rstrip(".") + "%"
        assert np.array_equal(wanted, probability > limit)
    assert jobs(page) == before
    move(page, ".controls input[max='100']", 80)
    assert page.find("canvas.classes").value_of_css_property("opacity") == "0.8"
    page.find(".legend input").click()
    assert not np.any(page.browser.execute_script(painted))
    shown = address(page, "cells.png")
    page.find("[data-text='writeThreshold']").click()
    assert result(page, "cells.png", shown) == (tmp_path / "20" / "cells.png").read_bytes()
    assert not page.find("[data-text='writeThreshold']").is_displayed()
    assert page.problems() == []


@pytest.mark.slow
def test_a_slider_walks_between_two_images(page, scene, cells, tmp_path):
    page.pick(scene)
    page.choose("codes")
    page.find("#options details summary").click()
    page.find("#options input[type=file]").send_keys(str(cells))
    page.run()
    shown = None
    for position in ("0.5", "0.25"):
        if shown:
            move(page, "#results .controls input[type=range]", position)
        out = tmp_path / position
        predict("codes.safetensors", scene, "--toward", cells, "--position", position, "--output", out)
        assert result(page, "scene.png", shown) == (out / "scene.png").read_bytes()
        shown = address(page, "scene.png")
    assert page.find("#results .controls output").text == "0.25"
    assert page.find("compare-slider img:nth-of-type(2)").get_attribute("naturalWidth") == "90"
    assert page.problems() == []


@pytest.mark.slow
def test_points_are_dragged_and_moved_by_keys(page, scene, tmp_path):
    from selenium.webdriver import ActionChains, Keys

    page.pick(scene)
    page.choose("faces")
    page.set_option("faces.safetensors", "styles", "1")
    page.run()
    first = result(page, "scene-style1.png")
    (job,) = page.server.running.queue._jobs.values()
    predicted = job.chosen["control_points"]
    wait_for(lambda: len(page.find_all(".points .handle")) == 4)
    handle, shown = page.find(".points .handle[data-number='1'] .end"), address(page, "scene-style1.png")
    pixel = page.find(".stack").rect["width"] / 90  # of the screen for one of the image
    by = round(10 * pixel), round(-4 * pixel)
    page.browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", handle)
    ActionChains(page.browser, duration=20).drag_and_drop_by_offset(handle, *by).perform()
    dragged = result(page, "scene-style1.png", shown)
    assert dragged != first
    (job,) = page.server.running.queue._jobs.values()
    points = np.array(job.work.options.control_points)
    assert (points - predicted)[1] == pytest.approx([0, 0, 10, -4], abs=0.5)
    assert np.array_equal(np.delete(points, 1, 0), np.delete(predicted, 1, 0))
    assert dragged == written(scene, tmp_path / "dragged", "--control-points", json.dumps(points.tolist()))

    shown = address(page, "scene-style1.png")
    page.browser.execute_script("document.querySelector(\".handle[data-number='0']\").focus()")
    ActionChains(page.browser).send_keys(Keys.ARROW_DOWN).perform()
    assert result(page, "scene-style1.png", shown) != dragged
    wait_for(lambda: page.browser.execute_script("return document.activeElement.dataset.number") == "0")
    (job,) = page.server.running.queue._jobs.values()
    assert np.array(job.work.options.control_points)[0] - points[0] == pytest.approx([0, 0, 0, 0.9])

    shown = address(page, "scene-style1.png")
    page.find("[data-text='predictedPoints']").click()
    assert result(page, "scene-style1.png", shown) == first
    assert page.problems() == []


def written(scene, out, *options):
    """What the command line writes."""
    predict("faces.safetensors", scene, "--styles", "1", *options, "--output", out)
    return (out / "scene-style1.png").read_bytes()


@pytest.mark.slow
def test_styles_change_with_the_seed_and_the_chosen_one_stays(page, scene, tmp_path):
    page.pick(scene)
    page.choose("faces")
    page.set_option("faces.safetensors", "styles", "2")
    page.run()
    result(page, "scene-style2.png")
    page.find(".parts button[data-part='style2']").click()
    shown = address(page, "scene-style2.png")
    page.find("[data-text='anotherSeed']").click()
    result(page, "scene-style2.png", shown)
    shown = address(page, "scene-style2.png")
    move(page, "#results .controls input[type=range]", "2")
    found = result(page, "scene-style2.png", shown)
    options = "--styles", "2", "--seed", "1", "--exaggeration", "2"
    predict("faces.safetensors", scene, *options, "--output", tmp_path / "out")
    assert found == (tmp_path / "out" / "scene-style2.png").read_bytes()
    assert page.find(".parts button[data-part='style2']").get_attribute("aria-pressed") == "true"
    image = page.find("compare-slider img:nth-of-type(2)").get_attribute("src")
    assert image == address(page, "scene-style2.png")
    assert page.problems() == []


@pytest.mark.slow
def test_a_newer_value_replaces_one_that_is_still_computed(page, scene, tmp_path, monkeypatch):
    import threading

    page.pick(scene)
    page.choose("faces")
    page.set_option("faces.safetensors", "styles", "1")
    page.run()
    result(page, "scene-style1.png")
    shown = address(page, "scene-style1.png")
    go_on, queue = threading.Event(), page.server.running.queue
    original = queue.report

    def report(job, done, total):
        while total and not go_on.wait(0.02) and job.state != "canceled":
            pass
        original(job, done, total)

    monkeypatch.setattr(queue, "report", report)
    slider = "#results .controls input[type=range]"
    for value in ("1.5", "2.5", "0.5"):
        move(page, slider, value)
        wait_for(lambda value=value: [str(job.work.options.exaggeration) for job in queue._jobs.values()] == [value])
    go_on.set()
    assert result(page, "scene-style1.png", shown) == written(scene, tmp_path / "out", "--exaggeration", "0.5")
    assert page.find_all("#results .bad-text") == []
    assert page.problems() == []


@pytest.mark.slow
def test_a_phone_shows_the_controls_in_its_width_with_names_in_every_language(page, cells, scene):
    from selenium.webdriver.support.select import Select

    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.pick(cells)
        page.choose("nuclei")
        page.choose("faces")
        page.run()
        wait_for(lambda: page.find_all(".points .handle") and page.find_all(".legend li"))
        for language, word in (("de", "Schwelle"), ("zh", "阈值"), ("en", "Threshold")):
            Select(page.find("#language")).select_by_value(language)
            wait_for(lambda word=word: page.find(".controls [data-text='threshold']").text == word)
            assert page.browser.execute_script("return document.documentElement.scrollWidth") <= 390, language
        script = """
            return [...document.querySelectorAll("#results button, #results input, #results [tabindex='0']")]
              .filter((each) => each.checkVisibility())
              .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length))
              .map((each) => each.outerHTML);
        """
        assert page.browser.execute_script(script) == []
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert page.problems() == []
