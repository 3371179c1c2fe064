"""The script that runs the tests on unlike machines: which runs there are, and which of them are chosen."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MATRIX = Path(__file__).parents[1] / ".ci" / "matrix"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the script is written for bash")


def matrix(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", str(MATRIX), *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("mode", [(), ("--each",)])
def test_the_runs_have_every_difference(mode: tuple[str, ...]) -> None:
    done = matrix("--list", *mode)
    assert (done.returncode, done.stderr) == (0, "")
    user = ("an ordinary user",)
    paths = ("long paths" if not mode else "paths of 120", "short paths")
    variables = ("COLUMNS=40", "COLUMNS=80", "COLUMNS=200", "C.UTF-8", "LANG=C", "TZ=", "FORCE_COLOR", "NO_COLOR")
    for difference in (*user, *paths, *variables, "random order", "in order", "two at a time", "oldest versions"):
        assert difference in done.stdout


def test_some_runs_can_be_chosen() -> None:
    done = matrix("--list", "--each", "--run", "two", "--run", "columns-40", "--run", "oldest")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["columns-40", "two", "oldest"]


def test_a_run_that_there_is_not_is_told_before_any_other_begins() -> None:
    done = matrix("--run", "user", "--run", "ordinary")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ".ci/matrix: no run is called ordinary; there are: user wide old\n"
