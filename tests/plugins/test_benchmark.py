"""``restore benchmark sr``: the rows of a paper's table, equal to what ``evaluate`` says of each."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from restore.cli.app import app
from restore.cli.commands.benchmark import repeat_flags
from restore.core.weights.files import save_weights
from restore.plugins.srgan.settings import SRGANSettings
from restore.plugins.srgan.task import SRGAN


@pytest.fixture
def restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command line, in a folder with a set for scales 2 and 3, and one of two plain images, one of them gray."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.Generator(np.random.PCG64(5))
    for name, side in (("First/x2/a.png", 32), ("First/x3/a.png", 33), ("Second/b.png", 36)):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (side, side, 3), np.uint8)).save(name)
    Image.fromarray(generator.integers(0, 256, (36, 36), np.uint8)).save("Second/gray.png")
    return lambda *arguments: CliRunner().invoke(app, list(map(str, arguments)), prog_name="restore")


@pytest.fixture
def run(tmp_path: Path) -> str:
    """Weights of scale 2 that were trained for no time."""
    settings = SRGANSettings(model={"architecture": "srgan/msrresnet", "scale": 2, "channels": 4, "blocks": 1})
    model = settings.model.model_dump(mode="json")
    (tmp_path / "run").mkdir()
    networks = SRGAN(settings).networks()
    save_weights(
        tmp_path / "run/best.safetensors", task="srgan/srgan", model=model, networks=networks, phase="pretrain"
    )
    return "run"


def cell(restore: Callable[..., Any], model: str, folder: str, *scale: str) -> str:
    found = json.loads(restore("evaluate", model, "--data", folder, "--json", *scale).stdout)["metrics"]
    return f"{found[0]['value']:.2f} / {found[1]['value']:.4f}"


def test_one_call_measures_sets_scales_and_models(restore: Callable[..., Any], run: str) -> None:
    shown = restore("benchmark", "sr", "bicubic", run, "--data", "First", "Second", "--csv", "values.csv")
    assert shown.exit_code == 0, shown.stderr
    lines = shown.stdout.splitlines()
    two, three = ("--scale", "2"), ("--scale", "3")
    assert lines[:5] == [
        "|  | First | Second |",
        "| --- | --- | --- |",
        f"| bicubic x2 | {cell(restore, 'bicubic', 'First/x2', *two)} | {cell(restore, 'bicubic', 'Second', *two)} |",
        f"| run x2 | {cell(restore, run, 'First/x2')} | {cell(restore, run, 'Second')} |",
        "| bicubic x3 | "
        + " | ".join(cell(restore, "bicubic", name, *three) for name in ("First/x3", "Second"))
        + " |",
    ]
    assert "psnr (8-bit Y, border 3) / ssim (8-bit Y, border 3) of First x3 (1 image), Second x3 (2 images)" in lines[6]
    rule = "Gray targets are their own Y, from 0 to 255 and not from 16 to 235 (psnr, ssim): 1 of 2 images"
    assert f"Second x2, Second x3: {rule}" in lines[6]
    rows = list(csv.DictReader(Path("values.csv").read_text("utf-8").splitlines()))
    assert {(row["of"], row["scale"]) for row in rows} == {("bicubic", "2"), ("run", "2"), ("bicubic", "3")}


def test_a_set_without_a_scale_leaves_its_cell_empty_and_latex_is_the_same(
    restore: Callable[..., Any],
) -> None:
    words = ("benchmark", "sr", "bicubic", "--scale", "2", "4", "--data", "Second", "First")
    lines = restore(*words).stdout.splitlines()
    empty = cell(restore, "bicubic", "Second", "--scale", "4")
    assert lines[3] == f"| bicubic x4 | {empty} |  |"
    assert rf"bicubic x4 & {empty} &  \\" in restore(*words, "--table", "latex").stdout
    found = json.loads(restore(*words, "--json").stdout)["sets"]
    assert [(each["data"], each["provenance"]["models"][0]["scale"]) for each in found] == [
        *(("Second", 2), ("First/x2", 2), ("Second", 4))
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["psnr"], "no such table: 'psnr'"),
        (["sr", "bicubic", "--data", "Second"], "no scale is known: give --scale 2 3 4"),
        (["sr", "bicubic", "--data", "Nothing"], "Nothing: no such folder"),
        (["sr", "bicubic", "--data", "First", "--scale", "4"], "nothing to measure"),
        (["sr", "mean", "--data", "Second", "--scale", "2"], "mean upscales nothing"),
        (["sr", "bicubic", "bicubic", "--data", "First"], "bicubic is given twice"),
        (["sr", "bicubic", "--data", "First", "--protocol", "y9"], "--protocol y9"),
    ],
)
def test_wrong_usage_is_said(restore: Callable[..., Any], words: list[str], message: str) -> None:
    shown = restore("benchmark", *words)
    assert shown.exit_code == 2
    assert message in " ".join(shown.stderr.split())
    assert not shown.stdout


def test_a_flag_takes_the_words_that_follow_it() -> None:
    words = ["a", "b", "--data", "c", "d", "--json", "--scale", "2", "3"]
    expected = ["a", "b", "--data", "c", "--data", "d", "--json", "--scale", "2", "--scale", "3"]
    assert repeat_flags(words, ("--data", "--scale")) == expected
