"""Long text on terminals of every width, and where there is none."""

from __future__ import annotations

import pytest

from restore.cli.console.paragraphs import wrap

PATH = "/a/very-long/path-with-hyphens/" + "x" * 100
TEXT = f"{PATH} is not the file that its name says:\n  remove it, and it is downloaded again"


@pytest.mark.parametrize("columns", ["20", "80", "300"])
def test_what_goes_to_a_file_is_one_line_whatever_the_width(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    expected = f"- {PATH} is not the file that its name says: remove it, and it is downloaded again"
    assert wrap(TEXT, "- ") == expected


@pytest.mark.parametrize(("columns", "longest"), [("20", 60), ("80", 80), ("300", 110)])
def test_a_terminal_gets_lines_that_fit_and_a_path_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, columns: str, longest: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = wrap(f"{TEXT} {'word ' * 50}", "- ").splitlines()
    assert lines[0] == f"- {PATH}"
    assert all(line.startswith("  ") and len(line) <= longest for line in lines[1:])
    assert max(map(len, lines[1:])) > longest - 6
