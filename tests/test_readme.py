"""What the README says is true: its commands run, its files are valid, its table is what the registry knows.

Networks and epochs are made small on the way. Of the commands only those of pip and pytest are not run: .ci/run does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from restore import registry
from restore.cli.app import app
from restore.core.images.files import read_image

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PHOTO = ROOT / "tests" / "examples" / "noisy.png"

SMALL = {
    "srgan": "--model.channels 4 --model.blocks 1 --discriminator.channels 2 --discriminator.hidden 4 "
    "--crop-size 16 --perceptual.weight 0 --batch-size 4 --samples-per-epoch 8 --precision fp32",
    "restorer": "--model.channels 4 --model.depth 3 --crop-size 16 --batch-size 2 --samples-per-epoch 4 "
    "--precision fp32",
    "brighten": "--samples-per-epoch 16 --precision fp32",
    "lbam": "--model.channels 1 --discriminator.channels 1 --crop-size 32 --perceptual.weight 0 --style.weight 0 "
    "--batch-size 2 --samples-per-epoch 4 --precision fp32",
    "inpaint-gan": "--model.channels 4 --model.depth 3 --discriminator.channels 4 --discriminator.layers 2 "
    "--crop-size 32 "
    "--batch-size 2 --samples-per-epoch 4 --precision fp32",
    "nested-unet": "--model.channels 4 --model.depth 2 --model.size 32 32 --batch-size 2 --samples-per-epoch 4 "
    "--precision fp32",
    "warpgan": "--model.size 32 --model.channels 2 --model.discriminator.channels 2 --model.points 4 --batch-size 2 "
    "--samples-per-epoch 4 --precision fp32",
    "vae": "--model.channels 4 --crop-size 32 --batch-size 2 --samples-per-epoch 4 --precision fp32",
}
EPOCHS = {"5": "2", "10": "2", "20": "2", "30": "3"}


def blocks(language: str) -> list[str]:
    """Fenced code in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every command line of the README, in order."""
    return [line.partition("  #")[0].strip() for block in blocks("bash") for line in block.splitlines() if line.strip()]


def small(words: list[str]) -> list[str]:
    """The same command for a run of a second."""
    if words[:1] != ["train"] or words[1] not in SMALL or not {"--help", "--resume"}.isdisjoint(words):
        return [EPOCHS.get(word, word) for word in words]
    if "--epochs" not in words:
        words = [*words, "--epochs", "20"]
    return [*(EPOCHS.get(word, word) for word in words), *SMALL[words[1]].split(), "--device", "cpu"]


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with what the README takes for granted: photographs, test sets, a checkpoint of BasicSR, the example."""
    photo = read_image(PHOTO).color.mul(255).byte().permute(1, 2, 0).numpy()
    from PIL import Image

    for folder in ("photos", "Set5", "Set14"):
        (tmp_path / folder).mkdir()
    for name in ("photo.jpg", "Set5/baby.png", "Set14/zebra.png", *(f"photos/{number}.png" for number in range(3))):
        Image.fromarray(photo).save(tmp_path / name)
    mask = Image.new("L", (photo.shape[1], photo.shape[0]))
    mask.paste(255, (20, 10, 50, 40))
    mask.save(tmp_path / "mask.png")
    torch.save(basicsr_checkpoint(), tmp_path / "MSRResNet_x4.pth")
    (tmp_path / "brighten.py").write_text((ROOT / "examples" / "brighten.py").read_text("utf-8"))
    (tmp_path / "plugins.toml").write_text(next(block for block in blocks("toml") if "paths" in block))
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    registry.reset()
    yield tmp_path
    registry.reset()


def basicsr_checkpoint() -> dict[str, dict[str, torch.Tensor]]:
    """Four channels, one block, four times larger, under the names of that converter."""
    generator = torch.Generator().manual_seed(0)
    layers = {"conv_first": (4, 3), "body.0.conv1": (4, 4), "body.0.conv2": (4, 4), "upconv1": (16, 4)}
    layers |= {"upconv2": (16, 4), "conv_hr": (4, 4), "conv_last": (3, 4)}
    state = {}
    for name, (out, into) in layers.items():
        state[f"{name}.weight"] = 0.1 * torch.randn(out, into, 3, 3, generator=generator)
        state[f"{name}.bias"] = torch.zeros(out)
    return {"params": state}


def test_every_command_runs_in_the_order_of_the_text(
    working_folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = 0
    for line in commands():
        words = shlex.split(line)
        if words[0] in ("pip", "pytest"):
            continue
        if words[1] == "serve":
            words.append("--help")  # it would serve until it is stopped; tests/cli/server starts it
        assert words[0] == "restore", line
        file = words[words.index(">") + 1] if ">" in words else None
        words = words[: words.index(">")] if ">" in words else words
        with pytest.raises(SystemExit) as left:
            app(small(words[1:]), prog_name="restore")
        said = capfd.readouterr()
        assert left.value.code in (0, None), f"{line}\n{said.err}"
        if file:
            (working_folder / file).write_text(said.out)
        ran += 1
    assert ran > 12
    for written, count in {
        "out": 1,
        "twice": 1,
        "imported": 1,
        "brighter": 1,
        "whole": 1,
        "masks": 3,
        "caricatures": 3,
    }.items():
        assert [path.suffix for path in (working_folder / written).iterdir()] == [".png"] * count
    assert (working_folder / "exaggerated.gif").exists()
    upscale = next(block for block in blocks("python") if "open_weights" in block)
    exec(compile(upscale, "README.md", "exec"), {})
    assert read_image(working_folder / "upscaled.png").color.shape[1] == 4 * read_image(PHOTO).color.shape[1]


def test_its_family_in_one_file_is_the_example() -> None:
    assert (ROOT / "examples" / "brighten.py").read_text("utf-8") in blocks("python")


def test_its_project_files_are_valid_and_name_settings_that_exist(tmp_path: Path) -> None:
    for block in blocks("toml"):
        (tmp_path / "plugins.toml").write_text(block)
        for plugin, defaults in registry.read_project(tmp_path / "plugins.toml").defaults.items():
            settings = registry.entry("tasks", plugin).locate("settings")
            assert settings.model_validate(defaults)


def task_table() -> str:
    """The table that the README should hold."""
    rows = ["| family | train | use without training |", "|---|---|---|"]
    for plugin in registry.plugins():
        tasks = [entry for entry in registry.entries("tasks") if entry.plugin == plugin.name]
        if tasks:
            learned, fixed = (
                ", ".join(f"`{entry.name}`" for entry in tasks if entry.spec.trains is trains)
                for trains in (True, False)
            )
            rows.append(f"| **{plugin.name}**: {plugin.summary.rstrip('.')} | {learned} | {fixed} |")
    return "\n".join(rows)


def test_its_table_is_what_the_registry_knows() -> None:
    marks = "<!-- tasks: generated from the registry ({}) -->"
    shown = README.partition(marks.format("begin"))[2].partition(marks.format("end"))[0].strip()
    assert shown == task_table(), f"put this into README.md:\n{task_table()}"
    for entry in registry.entries("commands"):
        assert f"`restore {entry.name}`" in README


def test_its_test_command_is_what_ci_runs() -> None:
    assert "pip install -e '.[dev]' && pytest" in commands()
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "-e '.[dev]'" in script
    assert re.search(r"^tests\(\) \{ pytest ", script, re.MULTILINE)


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "PLUGINS.md", "examples/README.md"]
)
def test_every_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []
