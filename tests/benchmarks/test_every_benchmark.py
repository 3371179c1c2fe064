"""Every program of ``benchmarks/`` starts: it imports what exists, and says how it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

PROGRAMS = sorted(path.stem for path in (Path(__file__).parents[2] / "benchmarks").glob("*.py"))
WITHOUT_A_COMMAND_LINE = {"gpu_meter"}
"""What other programs import."""


def test_there_are_programs() -> None:
    assert {"training", "inference", "first_commands"} <= set(PROGRAMS)


@pytest.mark.parametrize("name", sorted({*PROGRAMS} - WITHOUT_A_COMMAND_LINE))
def test_a_program_says_how_it_is_used(
    name: str,
    load_benchmark: Callable[[str], ModuleType],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = load_benchmark(name)
    assert program.__file__
    monkeypatch.setattr(sys, "argv", [program.__file__, "--help"])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith("usage: ")
    assert (program.__doc__ or "").strip().splitlines()[0] in told
