"""The training view in a real browser: start, follow, stop, resume, read the report; two tabs, a phone, the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import PageUnderTest, wait_for

pytestmark = pytest.mark.browser


WIDE = """
    if (document.documentElement.scrollWidth <= 390) return [];
    return [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > 390)
      .map((each) => each.outerHTML.slice(0, 200));
"""
"""What is wider than a phone."""


class TrainingPage(PageUnderTest):
    """What a person does in the training view."""

    def open_training(self):
        self.browser.execute_script("document.querySelector('[data-view=training]').click()")
        wait_for(lambda: self.find_all("#settings .field"))

    def choose_task(self, task: str):
        from selenium.webdriver.support.select import Select

        Select(self.find("#task")).select_by_value(task)
        wait_for(lambda: task in self.browser.execute_script("return sessionStorage.task"))
        wait_for(lambda: self.find("#task-summary").text == self.summary_of(task))

    def summary_of(self, task: str) -> str:
        tasks = self.server.ask("GET", "/api/tasks").json["tasks"]
        return next(each["summary"] for each in tasks if each["id"] == task)

    def fill_in(self, **values: str):
        """Fill in fields of the form by their titles."""
        script = """
            const [title, value] = arguments;
            const labels = [...document.querySelectorAll("#settings label")];
            const label = labels.find((each) => each.textContent.trim() === title);
            const input = document.getElementById(label.htmlFor);
            input.value = value;
            input.dispatchEvent(new Event("change"));
        """
        for title, value in values.items():
            self.browser.execute_script(script, title, value)

    def click(self, selector: str):
        """Press a button; by script, because the page may still be moving."""
        button = wait_for(lambda: self.find(selector))
        self.browser.execute_script("arguments[0].click()", button)

    def wait_for_text(self, selector: str, text: str):
        wait_for(lambda: text in self.find(selector).text)

    def start(self, **values: str):
        self.open_training()
        self.choose_task("twice")
        self.fill_in(**values)
        self.click("#start .primary")


@pytest.fixture
def training_page(browser, training_listening, tmp_path):
    page = TrainingPage(browser, training_listening, tmp_path / "downloads")
    yield page
    print(page.find("body").text)
    browser.execute_script("sessionStorage.clear()")
    browser.get("about:blank")


def test_a_training_is_started_followed_stopped_and_resumed(training_page):
    page = training_page
    page.start(name="first", epochs="100", data="photos")
    page.wait_for_text("#run-heading", "first running")
    wait_for(lambda: page.find_all("#run-curves figure.chart svg"))
    page.wait_for_text("#run-samples figcaption", "Samples of epoch 3")
    assert "psnr 22 (Y, border 4)" in page.find("#runs .run").text
    page.browser.execute_script("document.querySelector('#trainings details').open = true")
    page.wait_for_text("#trainings pre", "epoch 3")

    page.browser.refresh()
    page.wait_until_ready()
    page.wait_for_text("#run-heading", "first running")
    wait_for(lambda: page.find("#run-samples img").get_property("naturalWidth") == 1)
    page.click("#run-actions [data-text=stop]")
    page.wait_for_text("#run-heading", "first stopped")
    page.wait_for_text("#trainings .message", "Interrupted: a checkpoint is saved.")

    epochs = wait_for(lambda: page.find("#resume-epochs"))
    page.browser.execute_script("arguments[0].value = '2'", epochs)
    page.click("#run-actions [data-text=resume]")
    page.wait_for_text("#run-heading", "first finished")
    assert page.problems() == []


def test_a_report_cannot_reach_the_page_and_errors_are_shown_where_a_person_looks(training_page):
    page = training_page
    page.start(name="first", epochs="1")
    page.wait_for_text("#run-heading", "first finished")
    page.click("#run-actions [data-text=report]")
    page.browser.switch_to.frame(wait_for(lambda: page.find("#run-report iframe")))
    page.wait_for_text("body", "Report")
    tried = wait_for(lambda: page.browser.execute_script("return document.body.dataset.tried"))
    assert tried == "page refused, storage refused, server refused"
    page.browser.switch_to.default_content()
    assert page.browser.title == "restore"
    page.click("#run-report button")
    wait_for(lambda: not page.find_all("#run-report iframe"))

    page.fill_in(name="second", seed="13")
    page.click("#start .primary")
    page.wait_for_text("#trainings .bad-text", "the data are empty\nGive others")
    page.fill_in(name="../second")
    page.click("#start .primary")
    page.wait_for_text("#status.bad", "name: expected up to 100 bytes")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["first", "second"]


@pytest.mark.slow
def test_a_phone_shows_it_in_its_width_in_other_languages_with_labels(training_page):
    from selenium.webdriver.support.select import Select

    page = training_page
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.start(name="训练 " + "é" * 40, epochs="1")
        wait_for(lambda: page.find_all("#run-curves figure.chart svg"))
        page.browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
        for language, word in (("de", "fertig"), ("zh", "已完成"), ("en", "finished")):
            Select(page.find("#language")).select_by_value(language)
            page.wait_for_text("#run-heading .state", word)
            assert page.browser.execute_script(WIDE) == [], language
        script = """
            return [...document.querySelectorAll("button, input, select, iframe, [tabindex='0']")]
              .filter((each) => each.checkVisibility() && each.type !== "file" && each.tagName !== "svg")
              .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length))
              .map((each) => each.outerHTML);
        """
        assert page.browser.execute_script(script) == []
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert page.problems() == []


@pytest.mark.slow
def test_two_tabs_show_the_same_and_one_that_is_hidden_does_not_listen(training_page, scene):
    page = training_page
    board = page.server.running.board
    page.start(name="first", epochs="100")
    page.wait_for_text("#run-heading", "first running")
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    try:
        page.browser.get(page.server.running.address)
        page.wait_until_ready()
        page.open_training()
        page.click("#runs .run")
        page.wait_for_text("#run-heading", "first running")
        wait_for(lambda: board._watchers == 1)
        page.click("#run-actions [data-text=stop]")
        page.wait_for_text("#run-heading", "first stopped")
        page.browser.execute_script("document.querySelector('[data-view=main]').click()")
        page.pick(scene)
        page.choose("bicubic")
        page.run()
        wait_for(lambda: page.find_all("#results a.download"))
    finally:
        page.browser.execute_script("sessionStorage.clear()")
        page.browser.close()
        page.browser.switch_to.window(first)
    page.wait_for_text("#run-heading", "first stopped")


@pytest.mark.slow
def test_a_page_says_that_the_server_ended_and_how_its_training_did(training_page):
    page = training_page
    page.start(name="first", epochs="100")
    page.wait_for_text("#run-heading", "first running")
    running = page.server.running
    running.trainings.close()
    page.wait_for_text("#run-heading", "first stopped")
    running.board._changes.close()
    page.wait_for_text("#status", "The server has ended or does not answer")


@pytest.mark.slow
def test_an_architecture_brings_its_settings_and_what_was_typed_stays(training_page):
    page = training_page
    page.open_training()
    page.choose_task("srgan")
    page.fill_in(epochs="7")
    before = len(page.find_all("#settings .field"))
    page.fill_in(**{"model.architecture": "srgan/rrdbnet"})
    wait_for(lambda: len(page.find_all("#settings .field")) != before)
    script = """
        return Object.fromEntries([...document.querySelectorAll("#settings .field > label")]
          .map((each) => [each.textContent.trim(), document.getElementById(each.htmlFor).value]));
    """
    shown = page.browser.execute_script(script)
    assert (shown["epochs"], shown["model.architecture"]) == ("7", "srgan/rrdbnet")
