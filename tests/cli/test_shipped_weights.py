"""Weights that are passed on: ``restore pack``, and those that plugins ship."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app
from restore.core.images.files import read_image, write_image
from restore.core.weights.files import save_weights
from restore.core.weights.header import SAMPLE, read_header
from restore.plugins.srgan.settings import SRGANSettings
from restore.plugins.srgan.task import SRGAN

PLUGIN = """
from restore.registry import WeightsSpec, hookimpl

@hookimpl
def restore_weights():
    return [
        WeightsSpec("tiny-upscale", "shipper.files:TINY", summary="Upscales twice."),
        WeightsSpec("lost", "shipper.files:LOST"),
        WeightsSpec("silent", "shipper.files:SILENT"),
    ]
"""
FILES = """
from pathlib import Path

HERE = Path(__file__).parent
TINY, LOST, SILENT = HERE / "tiny.safetensors", HERE / "lost.safetensors", HERE / "silent.safetensors"
"""
CARD = ("--card", "data=noise", "--card", "license=CC0-1.0")


def save(path: Path, factor: float = 1.0, card: dict[str, str] | None = None) -> Path:
    """Write the weights of a small generator; its first bias is ``factor``."""
    settings = SRGANSettings(model={"architecture": "srgan/light", "scale": 2, "channels": 4, "blocks": 1})
    networks = SRGAN(settings).networks()
    torch.nn.init.constant_(networks["generator"].first.bias, factor)  # type: ignore[arg-type, union-attr]
    path.parent.mkdir(parents=True, exist_ok=True)
    model = settings.model.model_dump(mode="json")
    return save_weights(
        path, task="srgan/srgan", model=model, networks=networks, phase="pretrain",
        plugins={"srgan": "restorekit==1"}, card=card,
    )  # fmt: skip


@pytest.fixture
def restore(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """The command line, in a working directory where a plugin that ships weights is installed."""
    files = {"shipper/__init__.py": PLUGIN, "shipper/files.py": FILES}
    site.install("restore-shipper", files, {"shipper": "shipper"}, version="1")
    monkeypatch.syspath_prepend(str(site.folder))
    monkeypatch.chdir(tmp_path)
    registry.reset()
    yield lambda *arguments: CliRunner().invoke(app, list(arguments), prog_name="restore")
    registry.reset()
    for name in [name for name in sys.modules if name.partition(".")[0] == "shipper"]:
        del sys.modules[name]


def test_packed_weights_are_half_as_large_and_predict_the_same(restore: Callable[..., Any], tmp_path: Path) -> None:
    save(tmp_path / "run" / "best.safetensors")
    write_image(tmp_path / "photo.png", torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(0)))
    done = restore("pack", "run", "--output", "small.safetensors", *CARD)
    assert done.exit_code == 0, done.output
    assert {tensor.dtype for tensor in load_file("small.safetensors").values()} == {torch.float16}
    header = read_header(Path("small.safetensors"))
    assert header.card == {"data": "noise", "license": "CC0-1.0"}
    assert (header.phase, header.plugins) == ("pretrain", {"srgan": "restorekit==1"})
    for name, weights in (("a", "run"), ("b", "small.safetensors")):
        assert restore("predict", weights, "photo.png", "--output", name, "--device", "cpu").exit_code == 0
    one, other = (read_image(tmp_path / name / "photo.png").color for name in "ab")
    assert one.shape == (3, 40, 48)
    assert torch.allclose(one, other, rtol=0, atol=1.5 / 255)
    assert "license: CC0-1.0" in restore("show", "small.safetensors").output


def test_weights_of_the_sample_are_a_demonstration_and_lead_to_others(
    restore: Callable[..., Any], site: Any, tmp_path: Path
) -> None:
    save(Path(site.folder) / "shipper" / "tiny.safetensors")
    save(tmp_path / "run" / "best.safetensors", card={"data": SAMPLE})
    save(tmp_path / "own" / "best.safetensors", card={"data": "the folder photos"})
    write_image(tmp_path / "photo.png", torch.rand(3, 20, 24))
    arguments = ("photo.png", "--device", "cpu", "--output")
    said = restore("predict", "run", *arguments, "a").stderr
    assert said.count("Warning: run was trained on the sample: a demonstration") == 1
    (shipped,) = (part for part in said.split(";") if "weights that ship" in part)
    assert {"tiny-upscale", "upscale-x2"} <= set(shipped.split())
    assert not {"upscale-x4", "nuclei"} & set(shipped.split())
    assert "a classical method: restore predict bicubic" in said
    assert "restore train srgan --data FOLDER" in said
    for name in ("own", "tiny-upscale", "bicubic"):
        assert "demonstration" not in restore("predict", name, *arguments, f"b-{name}").stderr
    compared = restore("predict", "run", "bicubic", "photo.png", "--compare", "--output", "c", "--device", "cpu")
    assert compared.stderr.count("demonstration") == 1


def test_packing_again_keeps_the_card_and_full_precision_keeps_every_bit(
    restore: Callable[..., Any], tmp_path: Path
) -> None:
    original = save(tmp_path / "run" / "best.safetensors")
    packed = ("--precision", "fp32", "--output")
    assert restore("pack", "run", *packed, "one.safetensors", *CARD).exit_code == 0
    assert restore("pack", "one.safetensors", *packed, "two.safetensors", "--card", "data=more noise").exit_code == 0
    assert read_header(Path("two.safetensors")).card == {"data": "more noise", "license": "CC0-1.0"}
    first, last = load_file(original), load_file("two.safetensors")
    assert all(torch.equal(first[name], last[name]) for name in first)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("run", "--output", "small.pth"), 2, "must end in .safetensors"),
        (("run", "--output", "run/best.safetensors"), 2, "is the file that is read"),
        (("run", "--output", "there.safetensors"), 2, "--overwrite"),
        (("run", "--output", "new.safetensors", "--card", "license"), 2, "--card license: write it as NAME=TEXT"),
        (("bicubic", "--output", "new.safetensors"), 2, "bicubic is a classical method"),
        (("rum", "--output", "new.safetensors"), 2, "no run, weights or classical method is called 'rum'"),
        (("huge", "--output", "new.safetensors"), 1, "generator.first.bias has values above 65504"),
        (("broken", "--output", "new.safetensors"), 1, "contains NaN (not a number) in generator.first.bias"),
    ],
)
def test_what_cannot_be_packed_is_one_sentence(
    restore: Callable[..., Any], tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    save(tmp_path / "run" / "best.safetensors")
    save(tmp_path / "huge" / "best.safetensors", 1e6)
    save(tmp_path / "broken" / "best.safetensors", float("nan"))
    (tmp_path / "there.safetensors").touch()
    done = restore("pack", *arguments)
    assert done.exit_code == status
    assert words in " ".join(done.output.split())
    assert not (tmp_path / "new.safetensors").exists()


def test_shipped_weights_are_used_by_their_name(restore: Callable[..., Any], site: Any, tmp_path: Path) -> None:
    save(tmp_path / "run" / "best.safetensors")
    folder = Path(site.folder) / "shipper"
    assert restore("pack", "run", "--output", str(folder / "tiny.safetensors"), *CARD).exit_code == 0
    write_image(tmp_path / "photo.png", torch.rand(3, 20, 24))
    for name in ("tiny-upscale", "shipper/tiny-upscale"):
        done = restore("predict", name, "photo.png", "--output", f"out-{name.partition('/')[0]}", "--device", "cpu")
        assert done.exit_code == 0, done.output
        assert read_image(tmp_path / f"out-{name.partition('/')[0]}" / "photo.png").size == (40, 48)
    assert "tiny-upscale" in restore("predict", "--help").output
    shown = restore("show", "tiny-upscale").output
    assert "weights of srgan/srgan" in shown
    assert "data: noise" in shown


def test_a_folder_of_the_name_of_shipped_weights_does_not_hide_them(
    restore: Callable[..., Any], site: Any, tmp_path: Path
) -> None:
    save(Path(site.folder) / "shipper" / "tiny.safetensors")
    (tmp_path / "tiny-upscale").mkdir()
    (tmp_path / "photos").mkdir()
    write_image(tmp_path / "photos" / "photo.png", torch.rand(3, 20, 24))
    assert restore("predict", "tiny-upscale", "photos", "--output", "out", "--device", "cpu").exit_code == 0
    done = restore("evaluate", "tiny-upscale", "--data", "photos", "--device", "cpu", "--json")
    assert done.exit_code == 0, done.output
    assert {number["of"] for number in json.loads(done.stdout)["metrics"]} == {"tiny-upscale"}  # not of a run's phase


def test_a_mistyped_name_of_shipped_weights_is_suggested(restore: Callable[..., Any], tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", torch.rand(3, 20, 24))
    done = restore("predict", "tiny-upscal", "photo.png", "--output", "out")
    assert done.exit_code == 2
    assert "did you mean 'tiny-upscale'" in done.output.replace("\n", " ").lower()


def test_plugin_check_opens_shipped_weights_and_reads_their_card(restore: Callable[..., Any], site: Any) -> None:
    folder = Path(site.folder) / "shipper"
    silent = save(folder / "silent.safetensors")
    assert restore("pack", str(silent), "--output", str(folder / "tiny.safetensors"), *CARD).exit_code == 0
    report = json.loads(restore("plugin", "check", "shipper", "--json").stdout)
    found = {row["name"]: (row["state"], row["reason"]) for row in report["checks"]}
    assert found["weights tiny-upscale: the card says what they are"][0] == "PASS"
    assert found["weights tiny-upscale: open and fit their task"][0] == "PASS"
    state, reason = found["weights silent: the card says what they are"]
    assert (state, "has no 'data'" in reason) == ("FAIL", True)
    state, reason = found["weights lost: open and fit their task"]
    assert (state, "lost.safetensors" in reason) == ("FAIL", True)
