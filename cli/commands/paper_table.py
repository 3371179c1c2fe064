"""The numbers of several models on several sets as the table of a paper, in Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from restore.cli.commands.evaluation_report import MeasuredSet
from restore.core.metrics import MetricResult

Markup = Literal["markdown", "latex"]


def format_paper_table(sets: Sequence[MeasuredSet], markup: Markup) -> str:
    """Return a table with a row for each model and a column for each set, whose caption has the conventions.

    Decibels have two decimals and everything else four, as in published tables. Rows say the scale if it is not 1.

    Args:
        sets: what was measured, the same models in each.
        markup: the language of the table.
    """
    titles = _title_sets(sets)
    rows = [
        [_title_row(sets, index), *(_format_cell(each.measured[index].numbers) for each in sets)]
        for index in range(len(sets[0].models))
    ]
    if markup == "markdown":
        lines = [["", *titles], ["---"] * (1 + len(sets)), *rows]
        table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return f"{table}\n\n{_format_caption(sets, titles)}"
    body = [["", *titles], *rows]
    written = [" & ".join(map(_escape_latex, line)) + r" \\" for line in body]
    return "\n".join(
        [
            r"\begin{table}",
            r"\caption{" + _escape_latex(_format_caption(sets, titles)) + "}",
            r"\begin{tabular}{l" + "c" * len(sets) + "}",
            *(r"\hline", written[0], r"\hline", *written[1:], r"\hline"),
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _title_sets(sets: Sequence[MeasuredSet]) -> list[str]:
    """Return the names of the folders, or their paths as typed if two have one name."""
    folders = [each.data for each in sets if each.data is not None]
    names = [folder.absolute().name for folder in folders]
    unique = len(set(names)) == len(names)
    return (names if unique else list(map(str, folders))) or ["built-in sample"]


def _title_row(sets: Sequence[MeasuredSet], index: int) -> str:
    scales = list(dict.fromkeys(f"x{each.models[index].scale:g}" for each in sets))
    return " ".join([sets[0].models[index].label, *([", ".join(scales)] if scales != ["x1"] else [])])


def _format_cell(numbers: Sequence[MetricResult]) -> str:
    return " / ".join(f"{number.value:.{2 if 'psnr' in number.name else 4}f}" for number in numbers)


def _format_caption(sets: Sequence[MeasuredSet], titles: Sequence[str]) -> str:
    """Return which metrics stand in a cell, how they were computed, and of how many images; once for equal sets."""
    by_metrics: dict[str, list[str]] = {}
    for each, title in zip(sets, titles, strict=True):
        for measured in each.measured:
            metrics = " / ".join(f"{number.name} ({number.convention})" for number in measured.numbers)
            named = f"{title} ({each.images} image{'' if each.images == 1 else 's'})"
            if named not in by_metrics.setdefault(metrics, []):
                by_metrics[metrics].append(named)
    return "; ".join(f"{metrics} of {', '.join(named)}" for metrics, named in by_metrics.items()) + "."


_LATEX = {
    **{character: "\\" + character for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


def _escape_latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
