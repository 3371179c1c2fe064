"""Shell completion, asked for as a shell asks: through environment variables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from restore import registry
from restore.cli.app import app


def ask(line: str) -> dict[str, str]:
    """What a shell sets to complete the last word of a command line."""
    return {"_RESTORE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}


@pytest.fixture
def completed(in_garden: Path) -> Callable[[str], list[str]]:
    """What a shell would offer for the last word of a command line."""

    def complete(line: str) -> list[str]:
        done = CliRunner().invoke(app, [], prog_name="restore", env=ask(line))
        assert "Traceback" not in done.stderr
        return done.stdout.split()

    return complete


def test_a_shell_is_answered_by_the_program(restore_process):
    result = restore_process(code="from restore.cli import main; main()", **ask("restore tr"))
    assert (result.stdout.split(), result.stderr) == (["train"], "")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("restore cou", ["count"]),
        ("restore bed d", ["dig"]),
        ("restore train gro", ["grow-flowers"]),
        ("restore predict rai", ["rain"]),
        ("restore train grow-flowers --model.", ["--model.scale", "--model.width"]),
        ("restore train grow-flowers --sca", ["--scale"]),
        ("restore train grow-flowers --resu", ["--resume"]),
        ("restore train grow-flowers --optimizer.name ad", ["adam", "adamw"]),
        ("restore train grow-flowers --scale ", ["2", "4", "8"]),
        ("restore train grow-flowers --soil c", ["clay"]),
        ("restore predict rain --tile o", ["off"]),
        ("restore evaluate rain --sc", ["--scale"]),
        ("restore show garde", ["garden"]),
        ("restore import x.pth --task gro", ["grow-flowers"]),
        ("restore list-plugins --st", ["--strict"]),
    ],
)
def test_completion_offers(completed, line, offered):
    found = completed(line)
    # other installed families may offer more; nothing that was asked for may be missing, nor anything unlike it
    assert [word for word in found if word in offered] == offered
    assert all(word.startswith(line.split(" ")[-1]) for word in found)


@pytest.mark.parametrize("line", ["restore train weeds --", "restore train no-such --", "restore predict nothing --"])
def test_completion_of_what_cannot_be_used_offers_nothing_and_stays_silent(completed, line):
    assert [word for word in completed(line) if not word.startswith("--")] == []


def test_the_converters_of_a_task_are_offered(completed, in_garden):
    (in_garden / "plugins.toml").write_text("")  # every plugin counts
    registry.reset()
    offered = completed("restore import x.pth --task srgan --from ")
    assert {"article", "lornatang", "basicsr", "rrdbnet"} <= set(offered)
    assert offered[-1] == "spandrel"  # finds the task itself


def test_finished_runs_are_offered(completed, in_garden):
    (in_garden / "runs" / "mine").mkdir(parents=True)
    (in_garden / "runs" / "mine" / "best.safetensors").touch()
    (in_garden / "runs" / "unfinished").mkdir()
    assert completed("restore predict runs/") == ["runs/mine"]
