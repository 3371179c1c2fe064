"""The report of a run is one file with everything about it, and always the same."""

from __future__ import annotations

import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from toy_tasks import OneNetwork, toy_settings

from restore.core.pages.page import read_data
from restore.core.reports.curves import list_curves, thin
from restore.core.reports.run_report import render_report, write_report
from restore.core.reports.samples import collect_samples
from restore.core.runs.record import RunRecord, read_run
from restore.core.training.trainer import Trainer


def data_of(page: str) -> Any:
    return read_data(page.encode())


def text_of(page: str) -> str:
    body = re.sub(r"<(style|script)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture
def page(finished: Path) -> str:
    return (finished / "report.html").read_text("utf-8")


def test_a_run_writes_the_report_that_is_made_of_its_folder_anywhere(finished: Path, page: str, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "a run")
    assert render_report([read_run(copy)]) == page
    assert write_report(copy) == copy / "report.html"
    assert (copy / "report.html").read_bytes() == page.encode()


def test_it_has_the_results_with_convention_baseline_and_gain(finished: Path, page: str) -> None:
    text = text_of(page)
    metrics = json.loads((finished / "summary.json").read_text())["metrics"]
    assert "mse (mean over pixels)" in text
    for metric in metrics:
        assert f"{metric['value']:.4f}" in text
    assert "invert (baseline) 0.0000" in text
    gain = metrics[-1]["value"]  # the baseline is perfect, and lower is better
    assert f'<td class="number bad">+{gain:.4f}</td>' in page


def test_it_has_curves_of_every_kind_with_the_phases(page: str) -> None:
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[:3] == ["Results", "Warnings", "Samples"]
    assert headings[3:7] == [
        "Validation", "Training losses", "Balance of generator and discriminator", "Learning rates and gradients",
    ]  # fmt: skip
    assert page.count(">adversarial</text>") >= 4
    assert "best weights of pretrain: epoch" in page


def test_it_warns_with_the_remedy_and_escapes_it(page: str) -> None:
    assert page.count('<p class="warning">the discriminator wins &lt;early&gt;; lower its learning rate</p>') == 1


def test_it_says_what_differs_from_the_defaults_and_how_to_repeat_it(page: str) -> None:
    (command,) = re.findall(r'<pre class="command">(.*?)</pre>', page)
    assert command == "restore train toy/two --epochs 4 --seed 3 --log-every 2 --first-epochs 2"
    text = text_of(page)
    assert "seed 3 0 set" in text
    assert "pip install restore-toy==1.0" in text
    for fact in ("6 for training, 3 for validation", "cpu, fp32", "images/s", "waiting for data", "torch"):
        assert fact in text


def test_its_numbers_can_be_read_again(finished: Path, page: str) -> None:
    data = data_of(page)
    assert data["metrics"] == json.loads((finished / "summary.json").read_text())["metrics"]
    assert [line["epoch"] for line in data["evaluations"]] == [0, 1, 2, 3]
    assert len(data["training"]) == data["training_lines"] == 8
    assert data["settings"]["seed"] == 3


def test_it_is_one_file_that_a_strict_policy_allows(page: str) -> None:
    assert "http" not in page.replace("http-equiv", "")
    assert not re.search(r"<[^>]* (style|on\w+)=", page)
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert len(page) < 200_000


def test_the_samples_are_the_images_of_the_sheets_over_time(record: RunRecord) -> None:
    samples = collect_samples(record)
    (row,) = samples.rows
    assert [step.caption for step in row.steps] == ["epoch 1", "epoch 2", "epoch 3", "epoch 4"]
    assert [other.caption for other in row.others] == ["target"]
    assert row.after.source == row.steps[-1].source


def test_what_would_make_the_page_too_large_is_left_out_and_said(record: RunRecord) -> None:
    samples = collect_samples(record, budget=10)
    assert (samples.rows, len(samples.notes)) == ([], 1)
    assert "0 samples are shown" in samples.notes[0]


def test_of_many_epochs_a_few_are_shown_the_first_and_the_last_among_them(finished: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "run")
    for epoch in range(5, 41):
        shutil.copy(copy / "samples/epoch-0004.png", copy / f"samples/epoch-{epoch:04d}.png")
    (copy / "samples/epoch-0033.png").write_bytes(b"no image")
    samples = collect_samples(read_run(copy))
    captions = [step.caption for step in samples.rows[0].steps]
    assert (captions[0], captions[-1]) == ("epoch 1", "epoch 40")
    assert samples.notes[0] == "6 of 40 epochs are shown; run/samples/ has all."


def test_sheets_that_do_not_tell_where_their_images_lie_are_shown_whole(finished: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "run")
    for path in (copy / "samples").iterdir():
        Image.open(path).convert("RGB").save(path)
    samples = collect_samples(read_run(copy))
    assert len(samples.sheets) == 4
    assert render_report([read_run(copy)])


def test_a_run_without_history_and_with_a_damaged_log_has_a_report(finished: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "run")
    (copy / "history.jsonl").unlink()
    (copy / "summary.json").write_text("{")
    log = copy / "metrics.jsonl"
    log.write_bytes(b'{"kind":"train"}\n[]\n' + log.read_bytes()[:-40])
    text = text_of(render_report([read_run(copy)]))
    assert "restore train toy/two --config run/config.yaml" in text
    assert "stopped" in text


def test_a_long_log_is_thinned_to_means(record: RunRecord) -> None:
    assert thin([(x, float(x)) for x in range(6)], most=3) == [(1, 0.5), (3, 2.5), (5, 4.5)]
    line = record.training[-1]
    long = replace(record, training=[{**line, "step": step} for step in range(30_000)])
    (losses,) = [group for group in list_curves(long) if group.heading == "Training losses"]
    assert all(len(each.points) <= 300 for chart in losses.charts for each in chart.lines)
    page = render_report([long])
    assert len(page) < 3_000_000
    assert data_of(page)["training_lines"] == 30_000
    assert len(data_of(page)["training"]) <= 2000


def test_without_report_nothing_is_written(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, name="run", epochs=1, report=False, track=())
    Trainer(OneNetwork, settings, name="toy/one").fit()
    assert not {"report.html", "progress.png"} & {path.name for path in (tmp_path / "run").iterdir()}


def test_a_report_that_cannot_be_written_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("restore.core.reports.run_report.write_report", fail)
    Trainer(OneNetwork, toy_settings(tmp_path, name="run", epochs=1, track=(), report=True), name="toy/one").fit()
    assert "The report of the run failed at RunFinished" in caplog.text
    assert (tmp_path / "run/summary.json").exists()


def test_progress_png_shows_curves_and_the_newest_samples(finished: Path) -> None:
    with Image.open(finished / "progress.png") as image:
        assert image.size[0] == 880
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 20


def test_two_runs_are_compared_side_by_side(finished: Path, tmp_path: Path) -> None:
    other = shutil.copytree(finished, tmp_path / "other")
    for name, old, new in (("config.yaml", "seed: 3", "seed: 4"), ("summary.json", '"value": 0.0,', '"value": 0.0,')):
        (other / name).write_text((other / name).read_text().replace(old, new))
    page = render_report([read_run(finished), read_run(other)])
    text = text_of(page)
    assert "2 runs side by side" in text
    assert "setting a run other seed 3 4 " in text
    assert page.count('<path class="line') == 2
    assert [run["label"] for run in data_of(page)["runs"]] == ["a run", "other"]
    assert page == render_report([read_run(finished), read_run(other)])


@pytest.mark.parametrize(("left_out", "stars"), [(0, 1), (1, 0)])
def test_no_run_is_best_if_the_values_are_of_different_images(finished: Path, left_out: int, stars: int) -> None:
    record = read_run(finished)
    (best,) = [row for row in record.summary["metrics"] if row["of"] == record.phases[-1]]
    changed = [{**best, "value": 1e-9, "images": 3, "left_out": left_out}]
    others = [row for row in record.summary["metrics"] if row is not best]
    better = replace(record, path=record.path / "other", summary={**record.summary, "metrics": [*others, *changed]})
    text = text_of(render_report([record, better]))
    assert text.count(" * ") == stars + 1  # one explains the star
    assert ("over 2 of 3 images" in text) == bool(left_out)


@pytest.mark.browser
def test_the_report_works_in_a_browser_on_a_phone_and_without_scripts(finished: Path, browser: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.get((finished / "report.html").as_uri())
    chart = browser.find_element(By.CSS_SELECTOR, "figure.chart")
    chart.find_element(By.TAG_NAME, "svg").send_keys(Keys.ARROW_LEFT)
    assert chart.find_element(By.TAG_NAME, "output").text.startswith("epoch 4, adversarial · mse 0.")
    chart.find_element(By.TAG_NAME, "svg").send_keys(Keys.ARROW_LEFT)
    assert chart.find_element(By.TAG_NAME, "output").text.startswith("epoch 3, adversarial · mse 0.")
    slider = browser.find_element(By.TAG_NAME, "compare-slider")
    slider.find_element(By.TAG_NAME, "input").send_keys(Keys.ARROW_RIGHT)
    assert browser.execute_script("return arguments[0].style.getPropertyValue('--cut')", slider) == "50.5%"
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    browser.get((finished / "report.html").as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not browser.get_log("browser")
