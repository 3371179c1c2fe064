"""The numbers of several models on several sets as the table of a paper, in Markdown or LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
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
    titles = _title_sets([each.data for each in sets])
    return format_grouped_table([dict(zip(titles, sets, strict=True))], titles, markup)


def format_grouped_table(groups: Sequence[Mapping[str, MeasuredSet]], titles: Sequence[str], markup: Markup) -> str:
    """Return such a table with the rows of several groups, such as scales, one below the other.

    Args:
        groups: the sets of each group by the title of their column, the same models in all sets of a group; one that
            a group does not have is left empty.
        titles: the columns.
        markup: the language of the table.
    """
    rows = [
        [
            _title_row(list(group.values()), index),
            *(_format_cell(group[title].measured[index].numbers) if title in group else "" for title in titles),
        ]
        for group in groups
        for index in range(len(next(iter(group.values())).models))
    ]
    caption = _format_caption(groups)
    if markup == "markdown":
        lines = [["", *titles], ["---"] * (1 + len(titles)), *rows]
        table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return f"{table}\n\n{caption}"
    body = [["", *titles], *rows]
    written = [" & ".join(map(_escape_latex, line)) + r" \\" for line in body]
    return "\n".join(
        [
            r"\begin{table}",
            r"\caption{" + _escape_latex(caption) + "}",
            r"\begin{tabular}{l" + "c" * len(titles) + "}",
            *(r"\hline", written[0], r"\hline", *written[1:], r"\hline"),
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _title_sets(data: Sequence[Path | None]) -> list[str]:
    """Return the names of the folders, or their paths as typed if two have one name."""
    return title_folders([folder for folder in data if folder is not None]) or ["built-in sample"]


def title_folders(folders: Sequence[Path]) -> list[str]:
    """Return the names of folders, or their paths as typed if two have one name."""
    names = [folder.absolute().name for folder in folders]
    return names if len(set(names)) == len(names) else list(map(str, folders))


def _title_row(sets: Sequence[MeasuredSet], index: int) -> str:
    scales = list(dict.fromkeys(f"x{each.models[index].scale:g}" for each in sets))
    return " ".join([sets[0].models[index].label, *([", ".join(scales)] if scales != ["x1"] else [])])


def _format_cell(numbers: Sequence[MetricResult]) -> str:
    return " / ".join(f"{number.value:.{2 if 'psnr' in number.name else 4}f}" for number in numbers)


def _format_caption(groups: Sequence[Mapping[str, MeasuredSet]]) -> str:
    """Return which metrics stand in a cell, how they were computed, and of how many images; once for equal sets."""
    by_metrics: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    for group in groups:
        for title, each in group.items():
            title_at_scale = title + (f" x{each.models[0].scale:g}" if len(groups) > 1 else "")
            named = f"{title_at_scale} ({each.images} image{'' if each.images == 1 else 's'})"
            for measured in each.measured:
                metrics = " / ".join(f"{number.name} ({number.convention})" for number in measured.numbers)
                if named not in by_metrics.setdefault(metrics, []):
                    by_metrics[metrics].append(named)
            for note in each.notes:
                notes.setdefault(note, []).append(title_at_scale)
    told = "; ".join(f"{metrics} of {', '.join(named)}" for metrics, named in by_metrics.items())
    several = sum(map(len, groups)) > 1
    about = [f"{', '.join(titles)}: {note}" if several else note for note, titles in notes.items()]
    return ". ".join([told, *about]) + "."


_LATEX = {
    **{character: "\\" + character for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


def _escape_latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
