"""The page in a real browser: paint, fill, download, cancel, reload, on a desktop and on a phone."""

from __future__ import annotations

import numpy as np
import pytest
from browsing import wait_for

from restore.cli.app import app

pytestmark = pytest.mark.browser


def predict(*words):
    with pytest.raises(SystemExit) as left:
        app(["predict", *map(str, words)])
    assert left.value.code == 0


def test_a_painted_hole_is_filled_as_the_command_line_fills_it(page, scene, tmp_path):
    page.pick(scene)
    page.choose("nearest-known")
    page.choose("smooth")
    page.wait_for_editor()
    page.drag((0.45, 0.4), (0.5, 0.5), (0.55, 0.6))
    mask = page.save_mask()
    assert mask.shape[:2] == (60, 90)
    assert set(np.unique(mask)) == {0, 255}
    assert 20 < (mask[..., 0] > 0).sum() < 1000
    assert mask[30, 45, 0] == 255
    assert mask[5, 5, 0] == 0
    page.run()
    for model in ("smooth", "nearest-known"):
        downloaded = page.download(model)
        predict(model, scene, "--mask", page.folder / "mask.png", "--output", tmp_path / model)
        assert downloaded == (tmp_path / model / "scene.png").read_bytes(), model
    assert page.find("compare-slider img:nth-of-type(2)").get_attribute("naturalWidth") == "90"
    assert page.problems() == []


def test_the_tools_of_the_mask_do_what_they_say(page, scene):
    page.pick(scene)
    page.choose("nearest-known")
    page.wait_for_editor()

    def press(name):
        page.browser.execute_script(f"document.querySelector('mask-editor [data-text={name}]').click()")

    press("rectangle")
    page.drag((0.2, 0.2), (0.4, 0.5))
    drawn = page.save_mask()[..., 0] > 0
    rows, columns = np.nonzero(drawn)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((12, 29, 18, 35), abs=1)
    assert drawn[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
    press("invert")
    assert np.array_equal(page.save_mask()[..., 0] > 0, ~drawn)
    press("undo")
    page.browser.execute_script("document.querySelector('mask-editor [type=number]').value = 3")
    press("dilate")
    wide = page.save_mask()[..., 0] > 0
    wanted = np.zeros_like(drawn)
    wanted[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4] = True
    assert np.array_equal(wide, wanted)
    press("undo")
    press("eraser")
    page.drag((0.3, 0.35), (0.3, 0.6))
    erased = page.save_mask()[..., 0] > 0
    assert 0 < erased.sum() < drawn.sum()
    assert not (erased & ~drawn).any()
    press("undo")
    assert np.array_equal(page.save_mask()[..., 0] > 0, drawn)
    press("redo")
    assert np.array_equal(page.save_mask()[..., 0] > 0, erased)
    press("clear")
    assert not (page.save_mask()[..., 0] > 0).any()
    assert page.problems() == []


def test_wrong_files_wrong_options_and_a_missing_mask_are_said_where_a_person_looks(page, scene, tmp_path):
    (tmp_path / "page.png").write_bytes(b"<html><script>alert(1)</script>")
    page.pick(tmp_path / "page.png")
    wait_for(lambda: page.find_all("#images .blank"))
    page.choose("bicubic")
    page.set_option("bicubic", "scale", "99")
    page.run()
    said = wait_for(lambda: page.find("#results .bad-text").text)
    assert "page.png: is a web page (HTML)" in said
    page.find("#images .remove").click()
    page.pick(scene)
    page.run()
    wait_for(lambda: "scale: should be less than or equal to 64" in page.find("#results .bad-text").text)
    page.choose("nearest-known")
    page.run()
    assert "scene.png: paint a mask first" in wait_for(lambda: page.find("#status").text)
    refused = [message for message in page.problems() if "400" not in message and "422" not in message]
    assert [message for message in refused if "blob:" not in message] == []


def test_work_survives_a_reload_and_can_be_canceled(page, scene, monkeypatch):
    import threading

    go_on, queue = threading.Event(), page.server.running.queue
    original = queue.report

    def report(job, done, total):
        while total and not go_on.wait(0.02) and job.state != "canceled":
            pass
        original(job, done, total)

    monkeypatch.setattr(queue, "report", report)
    page.pick(scene)
    page.choose("bicubic")
    page.choose("repeat")
    page.run()
    wait_for(lambda: len(page.browser.execute_script("return JSON.parse(sessionStorage.jobs ?? '[]')")) == 2)
    page.browser.refresh()
    page.wait_until_ready()
    wait_for(lambda: len(page.find_all("#results figure .row button")) == 2)
    page.find("#results figure:last-child .row button").click()
    wait_for(lambda: [job.state for job in queue._jobs.values()] == ["running"])
    go_on.set()
    wait_for(lambda: page.find_all("#results a.download"))
    assert len(page.find_all("#results .bad-text")) == 1


def test_a_phone_shows_everything_in_its_width_and_in_other_languages(page, scene):
    from selenium.webdriver.support.select import Select

    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.pick(scene)
        page.choose("nearest-known")
        page.wait_for_editor()
        page.drag((0.4, 0.4), (0.6, 0.6))
        page.run()
        wait_for(lambda: page.find_all("#results a.download"))
        for language, word in (("de", "Bilder"), ("zh", "图像"), ("en", "Images")):
            Select(page.find("#language")).select_by_value(language)
            wait_for(lambda word=word: page.find("#images-heading").text == word)
            width = page.browser.execute_script("return document.documentElement.scrollWidth")
            assert width <= 390, language
        script = """
            return [...document.querySelectorAll("button, input, select, [tabindex='0']")]
              .filter((each) => each.offsetParent && each.type !== "file")
              .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length))
              .map((each) => each.outerHTML);
        """
        assert page.browser.execute_script(script) == []
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert page.problems() == []


def test_without_the_token_the_page_asks_for_it(browser, listening, page):
    browser.execute_script("sessionStorage.clear()")
    browser.get(listening.running.url)
    field = wait_for(lambda: page.find("#token").is_displayed() and page.find("#token"))
    assert not page.find("#main").is_displayed()
    field.send_keys(listening.running.token)
    page.find("#sign-in button").click()
    wait_for(lambda: page.find("#main").is_displayed())
