"""What the pages in docs/ say is true: links, code, commands, numbers, and the pages that are generated."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from restore import registry
from restore.cli.app import app
from restore.core import MetricResult, Settings, save_weights
from restore.core.events import Evaluated
from restore.core.loss_contracts import find_loss_problem
from restore.core.metric_contracts import check_metric, check_protocol

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md"))}
WRITTEN = [name for name in PAGES if not name.startswith("settings/") and name != "api.md"]
FAMILY = PAGES["authors/first-family.md"]
PHOTO = ROOT / "tests" / "examples" / "noisy.png"


def blocks(page: str, language: str) -> list[str]:
    """Fenced code of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


# --- generated pages --------------------------------------------------------------------------------------------------

needs_tools = pytest.mark.skipif(not (ROOT / "tools").is_dir(), reason="the tools are not installed")


@needs_tools
def test_the_pages_of_settings_are_what_the_settings_say() -> None:
    wanted = runpy.run_path(str(ROOT / "tools" / "write_settings_pages.py"))["render_pages"]()
    found = {name.removeprefix("settings/"): text for name, text in PAGES.items() if name.startswith("settings/")}
    assert sorted(found) == sorted(wanted)
    stale = [name for name, text in wanted.items() if found[name] != text]
    assert not stale, "run python tools/write_settings_pages.py"


@needs_tools
def test_the_page_of_the_api_has_every_public_name() -> None:
    wanted = runpy.run_path(str(ROOT / "tools" / "write_api_page.py"))["render_page"]()
    assert PAGES["api.md"] == wanted, "run python tools/write_api_page.py"


@needs_tools
def test_the_table_of_degradations_is_what_the_presets_say() -> None:
    wanted = runpy.run_path(str(ROOT / "tools" / "write_degradations_table.py"))["insert"](PAGES["degradations.md"])
    assert PAGES["degradations.md"] == wanted, "run python tools/write_degradations_table.py"


# --- links and numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_every_link_and_image_leads_somewhere(name: str) -> None:
    folder = (DOCS / name).parent
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]) if "://" not in link]
    assert [link for link in links if not (folder / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_in_a_table_of_contents(name: str) -> None:
    if name != "index.md":
        folder, _, stem = name.removesuffix(".md").rpartition("/")
        index = "index.md" if not folder or stem == "index" else f"{folder}/index.md"
        entry = stem if index != "index.md" else name.removesuffix(".md")
        assert re.search(rf"^{re.escape(entry)}$", PAGES[index], re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("tasks/")])
def test_every_measured_number_is_that_of_a_readme(name: str) -> None:
    readmes = [ROOT / "README.md", *(ROOT / "plugins").glob("*/README.md")]
    known = set(re.findall(r"\d+\.\d+", "\n".join(path.read_text("utf-8") for path in readmes)))
    shown = [line for line in PAGES[name].splitlines() if line.startswith("|") or "IoU" in line]
    assert sorted(set(re.findall(r"\d+\.\d+", "\n".join(shown))) - known) == []


# --- code -------------------------------------------------------------------------------------------------------------


def run_blocks(name: str) -> dict[str, Any]:
    """Run the Python code of a page from top to bottom; return what it defines."""
    names: dict[str, Any] = {"__name__": "code_of_a_page"}
    for block in blocks(PAGES[name], "python"):
        exec(compile(block, name, "exec", dont_inherit=True), names)
    return names


@pytest.fixture
def denoise(site: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A folder like site-packages with the example that the author's guide refers to."""
    site.install_source(ROOT / "examples" / "restore-denoise")
    monkeypatch.syspath_prepend(str(site.folder))
    registry.reset()
    yield site
    registry.reset()
    for name in [name for name in sys.modules if name.partition(".")[0] == "restore_denoise"]:
        del sys.modules[name]


@pytest.mark.usefixtures("denoise")
@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "authors/first-family.md"])  # see the last test
def test_the_code_of_a_page_runs(name: str) -> None:
    run_blocks(name)


def test_settings_of_the_guide_can_be_made() -> None:
    names = run_blocks("authors/settings.md")
    for made in [value for name, value in names.items() if name.endswith("Settings") and value is not Settings]:
        if isinstance(made, type) and made.__module__ == "code_of_a_page":
            made()


@pytest.mark.usefixtures("denoise")
def test_the_hooks_of_the_guide_return_specifications_and_its_parts_keep_their_contracts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run_blocks("authors/hooks.md")
    hooks = [value for name, value in names.items() if name.startswith("restore_")]
    kinds = {spec.kind for hook in hooks for spec in hook()}
    assert kinds == set(registry.KINDS)
    for hook in hooks:
        for spec in hook():
            if spec.reference.startswith("restore_denoise"):
                assert registry.resolve_reference(spec.reference)
    assert find_loss_problem(names["Huber"](), "pixel") == ""
    check_metric(names["MeanError"](), "image", "my_net/mae")
    check_protocol(names["build_errors"](2.0), "image", "my_net/errors")
    names["Announce"]()(Evaluated("train", 0, 1, [MetricResult("psnr", "RGB", "train", 30.0)], best=True))
    assert capsys.readouterr().out == "train psnr (RGB) of train: 30.0000\n"


def test_the_tests_of_the_guide_pass(denoise: Any, tmp_path: Path) -> None:
    for page in ("checks", "own-plugin"):
        text = "".join(blocks(PAGES[f"authors/{page}.md"], "python"))
        (tmp_path / f"test_{page.replace('-', '_')}.py").write_text(text, "utf-8")
    denoise.run_tests(tmp_path)


# --- commands ---------------------------------------------------------------------------------------------------------


def commands(page: str) -> Iterator[str]:
    """Every command of a page, in blocks and, if it is complete, in the text."""
    for block in blocks(page, "bash"):
        for line in block.splitlines():
            if line.startswith("restore ") and not line.startswith("restore train my-net"):  # what is yet to be made
                yield line.partition("  #")[0].strip()
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    for line in re.findall(r"`(restore (?:train|predict|evaluate|show|plugin check) [^`]+)`", prose):
        if not re.search(r"\b[A-Z]{3,}\b|…", line):  # a placeholder, such as NAME
            yield line


def runs(lines: list[str]) -> dict[str, str]:
    """The run folders that commands use, each with the task that another command of the page trains as this name."""
    tasks = {name: task for task, name in re.findall(r"train (\S+) .*?--name (\S+)", "\n".join(lines))}
    return {name: tasks[name] for name in re.findall(r"\bruns/([\w-]+)", "\n".join(lines))}


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the family of the guide, as a local plugin."""
    (tmp_path / "sharpen.py").write_text("".join(blocks(FAMILY, "python")), "utf-8")
    (tmp_path / "plugins.toml").write_text(blocks(FAMILY, "toml")[0], "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which the registry appends the folder
    torch.set_num_threads(1)
    registry.reset()
    yield tmp_path
    registry.reset()
    sys.modules.pop("sharpen", None)


def call(words: list[str]) -> int:
    """Run a command; return its exit status."""
    with pytest.raises(SystemExit) as left:
        app(words, prog_name="restore")
    return int(left.value.code or 0)


@pytest.mark.parametrize("name", WRITTEN)
def test_every_command_can_be_read(name: str, working_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = [line.partition(" > ")[0] for line in commands(PAGES[name])]
    for run, task in runs(found).items():
        full = registry.entry("tasks", task).full_name
        folder = working_folder / "runs" / run
        folder.mkdir(parents=True)
        # only its header is read
        save_weights(folder / "best.safetensors", task=full, model={}, networks={"any": {"weight": torch.zeros(1)}})
    for line in found:
        words = shlex.split(line)[1:]
        # --print-config validates values too; the other commands read names and flags before they show their help
        check = "--print-config" if words[0] == "train" and not {"--resume", "--help"} & {*words} else "--help"
        assert call([*words, check]) == 0, f"{line}\n{capfd.readouterr().err}"


def test_the_family_of_the_guide_trains_and_sharpens(working_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    small = "--epochs 2 --batch-size 4 --samples-per-epoch 16 --crop-size 16 --model.channels 4 --precision fp32"
    assert call(["train", "sharpen", *small.split(), "--device", "cpu", "--name", "sharp"]) == 0, capfd.readouterr().err
    assert call(["predict", "runs/sharp", str(PHOTO), "--output", "sharpened", "--tile", "32", "--device", "cpu"]) == 0
    assert (working_folder / "sharpened" / "noisy.png").exists()
    capfd.readouterr()
    assert call(["evaluate", "runs/sharp", "--device", "cpu"]) == 0
    assert "8-bit RGB" in capfd.readouterr().out
