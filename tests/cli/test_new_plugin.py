"""``restore new-plugin``: what it writes, and what it refuses."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from restore.cli.app import app
from restore.cli.commands.new_plugin import VARIANTS, VariantName, check_plugin_name, render_plugin
from restore.core.errors import UsageError

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["new-plugin", *arguments])


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.skipif(not (ROOT / "tools").is_dir(), reason="the tools are not installed")
def test_the_examples_are_what_the_command_writes() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "write_examples.py"))
    assert set(tool["PLUGINS"].values()) == set(VARIANTS)
    for name in tool["PLUGINS"]:
        folder = EXAMPLES / f"restore-{name}"
        found = {
            path.relative_to(folder).as_posix(): path.read_text("utf-8")
            for path in folder.rglob("*")
            if path.is_file() and not {"build", "__pycache__", f"restore_{name}.egg-info"} & set(path.parts)
        }
        assert found == tool["render_example"](name), "run python tools/write_examples.py"


def test_one_argument_is_enough(tmp_path: Path) -> None:
    done = run("my-net")
    assert done.exit_code == 0, done.output
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {f"restore-my-net/{path}" for path in render_plugin("my-net", "restoration")}
    commands = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert commands == [
        'cd restore-my-net && pip install -e ".[test]"',
        "restore train my-net --name first",
        "pytest",
    ]


@pytest.mark.parametrize("variant", get_args(VariantName))
def test_every_file_is_of_the_plugin(variant: VariantName) -> None:
    texts = render_plugin("my-net", variant, "github")
    for path, text in texts.items():
        assert "your" not in path
        for left in ("your_net", "your-net", "YourNet", "@SUMMARY@", "@KEYWORD@", "@PREDICT@"):
            assert left not in text, path
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["entry-points"]["restore.plugins"] == {"my_net": "restore_my_net"}
    assert project["name"] == "restore-my-net"
    assert "restore-plugin" in project["keywords"]
    assert texts["LICENSE"] == (ROOT / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize("variant", get_args(VariantName))
def test_a_model_is_short_enough_to_be_read(variant: VariantName) -> None:
    texts = render_plugin("my-net", variant)
    model = [texts[path] for path in texts if path.endswith(("/network.py", "/task.py", "/dataset.py"))]
    assert sum(1 for text in model for line in text.splitlines() if line.strip()) < 150


def test_a_workflow_is_written_only_if_asked_for() -> None:
    workflow = ".github/workflows/test.yml"
    assert workflow not in render_plugin("my-net", "blank")
    assert "restore plugin check my-net" in render_plugin("my-net", "blank", "github")[workflow]


@pytest.mark.parametrize(("typed", "name"), [("my-net", "my-net"), ("my_net", "my-net"), ("restore-x2", "x2")])
def test_a_name_may_be_typed_as_module_or_distribution(typed: str, name: str) -> None:
    assert check_plugin_name(typed) == name


@pytest.mark.parametrize(
    ("name", "close"),
    [("My Net", "my-net"), ("2x", "x"), ("a--b", "a-b"), ("../up", "up"), ("-a-", "a"), ("é", ""), ("", "")],
)
def test_an_invalid_name_is_refused_with_one_that_is_valid(name: str, close: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lower-case letters") as refused:
        check_plugin_name(name)
    assert f"did you mean {close!r}" in str(refused.value) or not close
    assert run("--", name).exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [("srgan", "is installed (restorekit)"), ("bicubic", "plugin 'classic' has a task"), ("run", "has a RunSettings")],
)
def test_a_name_that_is_taken_is_refused(name: str, reason: str, tmp_path: Path) -> None:
    done = run(name)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "restore-my-net").mkdir()
    done = run("my-net")
    assert done.exit_code == 2
    assert "restore-my-net already exists" in done.stderr
    assert list((tmp_path / "restore-my-net").iterdir()) == []


def test_a_plugin_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text = Path.write_text

    def interrupted(path: Path, *arguments: Any, **more: Any) -> int:
        if path.name == "pyproject.toml":
            raise KeyboardInterrupt
        return write_text(path, *arguments, **more)

    monkeypatch.setattr(Path, "write_text", interrupted)
    assert run("my-net").exit_code == 130
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_variant_is_named() -> None:
    done = run("my-net", "--task", "resolution")
    assert done.exit_code == 2
    assert "'resolution' is not one of 'super-resolution', 'restoration'" in done.stderr
