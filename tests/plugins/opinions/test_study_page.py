"""The page of a study in a real browser: a session by keyboard alone, and twenty simulated observers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from restore.cli.app import app
from restore.plugins.opinions.collect_command import AnswerServer, read_page

pytestmark = pytest.mark.browser

Results = Callable[..., list[str]]


def restore(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["mos", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def press(browser: Any, *keys: str) -> None:
    """Press keys where the focus is, each when the page takes answers again."""
    for key in keys:
        wait(lambda: not browser.execute_script("return document.querySelector('#views.waiting')"))
        browser.switch_to.active_element.send_keys(key)


def wait(ready: Callable[[], Any], seconds: float = 90) -> Any:
    """Return what ``ready`` returns as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)
    return found


def text(browser: Any, name: str = "place") -> str:
    found: str = browser.execute_script(f"return document.getElementById('{name}').innerText")
    return found


def save_into(browser: Any, folder: Path) -> None:
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})


def saved(folder: Path, count: int = 1) -> list[dict[str, Any]]:
    files = wait(
        lambda: (
            [path for path in folder.glob("*.json") if path.stat().st_size][count - 1 :] and list(folder.glob("*.json"))
        )
    )
    return [json.loads(path.read_text("utf-8")) for path in sorted(files)]


@pytest.fixture
def study(tmp_path: Path, results: Results) -> Path:
    page = tmp_path / "study.html"
    arguments = ["--method", "double", "--training", "1", "--repeats", "2"]
    restore("make", *results(images=("a", "b")), *arguments, "--output", page)
    return page


def test_a_session_by_keyboard_alone_survives_a_reload_and_asks_nobody(
    tmp_path: Path, browser: Any, study: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    folder = tmp_path / "answers"
    save_into(browser, folder)
    browser.get(study.as_uri())
    wait(lambda: "8 images" in text(browser, "start"))  # a busy driver returns before the script has run
    press(browser, "ann", Keys.ENTER)  # the name has the focus, and typing replaces what it holds
    assert text(browser) == "Practice 1 of 1"
    press(browser, "3", "5", "2")
    assert text(browser) == "3 of 8"
    press(browser, Keys.BACKSPACE)
    assert text(browser) == "2 of 8"
    assert browser.execute_script("return document.querySelector('#answers .chosen').value") == "2"
    press(browser, "9", "x", "4", "+", "+")
    zooms = browser.execute_script("return [...document.querySelectorAll('zoom-view')].map((view) => view.state.zoom)")
    assert zooms == [pytest.approx(1.25**2)] * 2  # both move together
    assert browser.execute_script("return document.body.innerText").count("gan") == 0

    browser.refresh()
    wait(lambda: "Go on where ann stopped (after 3 answers)" in text(browser, "start"))
    press(browser, Keys.ENTER)  # the button to go on has the focus
    assert text(browser) == "3 of 8"
    for _ in range(6):
        press(browser, "1")
    wait(lambda: browser.execute_script("return !document.getElementById('end').hidden"))
    assert browser.execute_script("return document.getElementById('next').disabled")
    press(browser, Keys.TAB, Keys.ENTER)
    (session,) = saved(folder)
    assert session["observer"]["name"] == "ann"
    assert session["finished"]
    assert [each["score"] for each in session["ratings"]] == [3, 5, 4, *[1] * 6]
    assert [each["role"] for each in session["ratings"]].count("repeat") == 2
    assert session["ratings"][0]["role"] == "training"
    press(browser, Keys.TAB, Keys.ENTER)  # the next observer
    assert "Go on" not in text(browser, "start")

    asked = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in asked if not name.startswith(("data:", "blob:"))] == []
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    assert "double stimulus" in restore("score", folder)


@pytest.mark.slow
def test_answers_are_sent_to_the_server_of_the_page(
    tmp_path: Path, browser: Any, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "study.html"
    arguments = [*results(images=("a",)), "--method", "pairs", "--training", "0"]
    restore("make", *arguments, "--post", "/answers", "--output", page)
    folder = tmp_path / "answers"
    folder.mkdir()
    told = []
    with AnswerServer(("127.0.0.1", 0), *read_page(page), folder) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for name in ("ann/../é", "bob"):
            browser.get(f"http://127.0.0.1:{server.server_port}/")
            wait(lambda: browser.execute_script("return document.activeElement?.id") == "name")  # the script has run
            press(browser, name, "\ue007")  # Enter
            press(browser, *"1211")  # three pairs, one of them twice
            told.append(wait(lambda: (found := text(browser, "sent")) and "Sending" not in found and found))
            browser.execute_script("localStorage.clear()")
            server.study = server.study.model_copy(update={"id": "another"})  # so that it refuses the next
        server.shutdown()
    assert told == ["Your answers were sent.", "Your answers could not be sent. Save them, please."]
    (answers,) = folder.iterdir()
    assert answers.name.startswith("ann-é-")
    assert "3 comparisons" in restore("score", answers)
    browser.get_log("browser")  # the failed request is in it


PLAY = """
const [name, quality, bias, noise, done] = arguments;
const study = JSON.parse(document.getElementById("data").textContent);
const method = new Map();
for (const [image, files] of Object.entries(study.files))
  for (const [name, index] of Object.entries(files)) method.set(study.sources[index], name);
let state = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
const random = () => (state = (state * 1664525 + 1013904223) >>> 0) / 4294967296;
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const find = (id) => document.getElementById(id);
find("name").value = name;
find("begin").requestSubmit();
(async () => {
  while (find("end").hidden) {
    if (!find("views").classList.contains("waiting") && !find("trial").hidden) {
      const shown = method.get(document.querySelector("#views img").src);
      const score = noise === null ? 1 + random() * 5 : quality[shown] + bias + noise * normal();
      const value = Math.min(Math.max(Math.round(score), 1), 5);
      document.querySelector(`#answers button[value="${value}"]`).click();
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  find("save").click();
  find("next").click();
  done();
})();
"""


@pytest.mark.slow
def test_twenty_observers_of_three_methods_are_scored(tmp_path: Path, browser: Any, results: Results) -> None:
    quality = {"blurry": 2.0, "plain": 3.0, "sharp": 4.0, "reference": 4.6}
    arguments = results(("blurry", "plain", "sharp"), tuple("abcdef"))
    restore("make", *arguments, "--output", tmp_path / "study.html", "--repeats", "4")
    folder = tmp_path / "answers"
    save_into(browser, folder)
    browser.get((tmp_path / "study.html").as_uri())
    browser.set_script_timeout(60)
    biases = np.linspace(-0.6, 0.6, 19)
    for index, bias in enumerate(biases):
        browser.execute_async_script(PLAY, f"observer {index:02}", quality, float(bias), 0.5)
    browser.execute_async_script(PLAY, "dice", quality, 0, None)
    sessions = saved(folder, 20)

    orders = [[(each["image"], each["method"]) for each in session["ratings"]] for session in sessions]
    assert len({tuple(order) for order in orders}) == 20  # each in an order of their own
    assert [session["ratings"][2]["role"] for session in sessions] == ["training"] * 20
    assert all(one != other for order in orders for (one, _), (other, _) in pairwise(order[3:]))
    assert all(len(session["ratings"]) == 3 + 24 + 4 for session in sessions)

    found = json.loads(restore("score", folder, "--screen", "pearson", "--json"))
    assert [each["observer"] for each in found["screening"]["observers"] if each["rejected"]] == ["dice"]
    means = {each["method"]: each["mean"] for each in found["methods"]}
    assert sorted(means, key=lambda name: means[name]) == ["blurry", "plain", "sharp", "reference"]
    for method in ("blurry", "plain", "sharp"):
        assert means[method] == pytest.approx(quality[method], abs=0.15)
    model = {each["observer"]: each["bias"] for each in found["subject_model"]["observers"]}
    estimated = [model[f"observer {index:02}"] for index in range(19)]
    assert np.corrcoef(estimated, biases)[0, 1] > 0.9
    assert browser.get_log("browser") == []
