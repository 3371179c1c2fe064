"""The runs of a folder are listed, sorted and compared, reports are written, recipes are found by their name."""

from __future__ import annotations

import html
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from restore.cli.app import app
from restore.cli.commands.train import train_command
from restore.core.runs.changed_settings import list_changed
from restore.registry import entry

PSNR = {"name": "psnr", "convention": "Y, border 4"}


def call(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="restore")


def make_run(folder: Path, psnr: float, *, end: str | None = "finished", seed: int = 0, **metric: str) -> Path:
    """Write what a run of two epochs leaves behind."""
    folder.mkdir(parents=True)
    config = {"run": {"task": "toy/one", "device": "cpu"}, "epochs": 2, "seed": seed, "batch_size": 4}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    named = {**PSNR, **metric}
    start = {"metrics": [{**named, "better": "higher"}], "data": {}, "train_images": 5, "validation_images": 2}
    history = [{"kind": "started", "at": f"2026-01-0{seed + 1}T10:00:00+00:00", "changed": [], "processes": 1, **start}]
    history += [{"kind": "baseline", "of": "bicubic", "metrics": [{**named, "of": "bicubic", "value": 20.0}]}]
    history += [{"kind": end, "at": "2026-01-09T10:00:00+00:00", "seconds": 8.0, "error": "disk"}] if end else []
    place = {"phase": "only", "epoch": 1, "step": 8}
    log = [
        {"kind": "train", **place, "net/mse": 0.5, "seconds": {"run": 7.5, "step": 0.5, "waited": 0.1}},
        {
            "kind": "validation",
            **place,
            "metrics": [{**named, "of": "only", "value": psnr}],
            "best": True,
            "seconds": {},
        },
    ]
    for name, lines in (("history.jsonl", history), ("metrics.jsonl", log)):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "runs/a", 24.5)
    make_run(tmp_path / "runs/b", 26.25, end="failed", seed=1)
    (tmp_path / "runs/notes").mkdir()
    return tmp_path


def test_runs_are_listed_with_state_epochs_size_and_best_metrics(folder: Path) -> None:
    first, numbers, second, _ = call("runs").stdout.splitlines()
    assert first.startswith("runs/a: toy/one, finished, 2 of 2 epochs, 8 s, 0.0 MB, begun 2026-01-01 10:00 UTC")
    assert numbers.strip() == "psnr (Y, border 4) 24.5000"
    assert second.startswith("runs/b: toy/one, stopped (disk), ")


def test_the_list_is_json_too_and_sorted_by_what_is_asked(folder: Path) -> None:
    def order(key: str) -> list[str]:
        return [run["path"] for run in json.loads(call("runs", "--json", "--sort", key).stdout)["runs"]]

    assert order("name") == ["runs/a", "runs/b"]
    assert order("psnr") == order("psnr (Y, border 4)") == order("date") == order("state") == ["runs/b", "runs/a"]
    (run, _) = json.loads(call("runs", "runs", "--json").stdout)["runs"]
    assert (run["state"], run["epochs"], run["of_epochs"], run["seconds"]) == ("finished", 2, 2, 8.0)
    assert run["metrics"][0] == {**PSNR, "of": "only", "value": 24.5, "images": None, "left_out": 0}
    assert run["bytes"] == sum(path.stat().st_size for path in (folder / "runs/a").iterdir())


def test_metrics_of_two_conventions_are_not_sorted_together(folder: Path) -> None:
    make_run(folder / "runs/c", 50.0, convention="rgb")
    refused = call("runs", "--sort", "psnr")
    assert refused.exit_code == 2
    assert "sort by one of them: 'psnr (Y, border 4)' or 'psnr (rgb)'" in refused.stderr
    unknown = call("runs", "--sort", "psnt")
    assert unknown.exit_code == 2
    assert "did you mean 'psnr'" in unknown.stderr


def test_a_folder_without_runs_and_a_damaged_run_are_said(folder: Path) -> None:
    (folder / "runs/b/config.yaml").write_text("a: [")
    listed = call("runs")
    assert listed.exit_code == 0
    assert "runs/b/config.yaml cannot be read" in listed.stderr
    (folder / "empty").mkdir()
    assert call("runs", "empty").stdout.startswith("There are no runs in empty.")
    assert call("runs", "nowhere").exit_code == 2
    assert call("runs", "runs", "runs").exit_code == 2


def test_two_runs_are_compared_by_settings_data_and_numbers(folder: Path) -> None:
    text = call("runs", "diff", "runs/a", "runs/b").stdout
    assert re.search(r"settings:\n +a  b\n  seed  0  1\n", text)
    assert "data: no difference" in text
    assert re.search(r"psnr \(Y, border 4\) of only +24\.5000  26\.2500  \+1\.7500", text)
    both = json.loads(call("runs", "diff", "runs/a", "runs/b", "--json").stdout)
    assert both["settings"] == {"seed": ["0", "1"]}
    for words in (("runs/a",), ("runs/a", "runs/a"), ("runs/a", "runs/b", "runs/c"), ("runs/a", "nowhere")):
        assert call("runs", "diff", *words).exit_code == 2


def test_a_report_is_written_where_it_is_asked_for_and_replaces_nothing(folder: Path) -> None:
    assert call("report", "runs/a").stdout == "written: runs/a/report.html\n"
    assert call("report", "runs/a").exit_code == 0  # generated, so it may be written again
    assert call("report", "runs/a", "runs/b", "--output", "both.html").exit_code == 0
    assert "2 runs side by side" in (folder / "both.html").read_text("utf-8")
    for words, message in (
        (("runs/a", "--output", "both.html"), "already exists"),
        (("runs/a", "runs/b"), "need --output FILE"),
        (("runs/a", "runs/a", "--output", "x.html"), "given twice"),
        (("runs/notes",), "contains no config.yaml"),
        (("runs/a", "--output", "runs"), "is a folder"),
    ):
        refused = call("report", *words)
        assert (refused.exit_code, message in refused.stderr) == (2, True), refused.stderr


def test_a_run_without_weights_can_be_shown(folder: Path) -> None:
    shown = call("show", "runs/b")
    assert shown.exit_code == 0
    assert re.search(r"seed +1\n", shown.stdout)
    assert "nothing was validated" in shown.stdout
    assert json.loads(call("show", "runs/b", "--json").stdout)["about"]["epochs"] == "2 of 2"


def test_recipes_are_listed_printed_and_used_by_name() -> None:
    assert "restore train srgan --config upscale-x4" in call("recipes").stdout
    listed = {each["name"]: each for each in json.loads(call("recipes", "--json").stdout)}
    assert {"upscale-x4", "upscale-clean-x2", "nuclei"} <= set(listed)
    assert call("recipes", "upscale-x4").stdout == Path(listed["upscale-x4"]["file"]).read_text("utf-8")
    config = call("train", "srgan", "--config", "upscale-x4", "--epochs", "3", "--print-config").stdout
    assert yaml.safe_load(config)["samples_per_epoch"] == 3200
    assert "epochs: 3  # from the command line" in config
    assert "architecture: srgan/light  # from upscale-x4" in config


def test_a_recipe_that_does_not_fit_or_does_not_exist_is_refused() -> None:
    wrong = call("train", "unet", "--config", "upscale-x4")
    assert (wrong.exit_code, "this recipe is for srgan/srgan, not for unet/unet" in wrong.stderr) == (2, True)
    unknown = call("train", "srgan", "--config", "upscale-x5")
    assert (unknown.exit_code, "did you mean 'upscale-x4'" in unknown.stderr) == (2, True)
    missing = call("train", "srgan", "--config", "mine.yaml")
    assert (missing.exit_code, "mine.yaml: no such file" in missing.stderr) == (2, True)
    assert "did you mean 'upscale-x4'" in call("recipes", "upscale-4").stderr


def test_who_sees_only_the_report_gets_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task = entry("tasks", "autoencoder")
    changed = list_changed(task.load().tiny_settings())
    words = [word for each in changed for word in each.words]
    words += ["--seed", "5", "--optimizer.lr", "0.003", "--name", "first", "--track", "none"]
    train_command(task, words).main(words, standalone_mode=False)
    page = (tmp_path / "runs/first/report.html").read_text("utf-8")
    (command,) = re.findall(r'<pre class="command">(.*?)</pre>', page)
    program, train, name, *repeated = shlex.split(html.unescape(command))
    assert (program, train, name) == ("restore", "train", "vae/autoencoder")
    repeated += ["--name", "second"]
    train_command(task, repeated).main(repeated, standalone_mode=False)
    first, second = (json.loads((tmp_path / f"runs/{run}/summary.json").read_text()) for run in ("first", "second"))
    assert first["metrics"] == second["metrics"]
    hashes = [re.findall(r"SHA-256 of best.safetensors</dt><dd>(\w{64})", path.read_text("utf-8")) for path in (
        tmp_path / "runs/first/report.html", tmp_path / "runs/second/report.html")]  # fmt: skip
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 1
