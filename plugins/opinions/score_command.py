"""``restore mos score``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from restore.core.atomic import atomic_write, refuse_overwrite, writable_folder
from restore.core.errors import DataError, RestoreError
from restore.core.json_text import dump_json
from restore.plugins.opinions.figure import Dot, draw_intervals
from restore.plugins.opinions.metric_table import match_study, read_metric_table
from restore.plugins.opinions.score_settings import ScoreSettings
from restore.plugins.opinions.score_text import format_scores, to_json_object
from restore.plugins.opinions.sessions import Session, list_files, read_session
from restore.plugins.opinions.statistics import INTERVAL_RULES, PAIRS_RULE, IntervalRule
from restore.plugins.opinions.study_scores import RatedStudy, StudyScores, score_study


def score(settings: ScoreSettings) -> None:
    """Print what observers think of the methods of a study.

    Raises UsageError for files of different studies and for a table of metrics that has nothing in common with the
    study, and DataError at the end if files were left out.
    """
    if settings.figure is not None:
        refuse_overwrite(settings.figure, settings.overwrite)
        writable_folder(settings.figure.parent)
    files = list_files(settings.files)
    table = None if settings.metrics is None else read_metric_table(settings.metrics)
    sessions, problems = _read_sessions(files)
    metrics = match_study(settings.metrics, table, sessions[0].study) if settings.metrics and table else {}
    scores = score_study(sessions, settings.screen, settings.interval, metrics)
    if settings.figure is not None:
        with atomic_write(settings.figure) as temporary:
            temporary.write_text(draw_scores(scores, settings.interval), encoding="utf-8")
    if settings.as_json:
        print(dump_json({**to_json_object(scores, settings.interval), "problems": problems}))
    else:
        print("\n".join(format_scores(scores, settings.interval)))
    if problems:
        raise DataError(
            "\n".join([*problems, f"{len(problems)} of {len(files)} files left out; the others are scored"])
        )


def _read_sessions(files: Sequence[Path]) -> tuple[list[Session], list[str]]:
    """Return what can be read, and a message for each file that cannot. Raises the error if nothing can be read."""
    sessions, problems = [], []
    for file in files:
        try:
            sessions.append(read_session(file))
        except RestoreError as error:
            problems.append(str(error))
    if not sessions:
        raise DataError("\n".join(problems))
    return sessions, problems


def draw_scores(scores: StudyScores, rule: IntervalRule) -> str:
    """Return the figure of a study as SVG: methods from best to worst."""
    result = scores.result
    if isinstance(result, RatedStudy):
        dots = [Dot(name, mean.value, mean.half_width) for name, mean in result.methods.items()]
        count = max(mean.observers for mean in result.methods.values())
        caption, limits = f"{count} observers; 95 %: {INTERVAL_RULES[rule]}", (1.0, 5.0)
        title = f"{scores.study.title}: mean opinion score, 1 to 5"
    else:
        scale = result.scale
        dots = [Dot(*each) for each in zip(scale.methods, scale.strengths, 1.96 * scale.errors, strict=True)]
        caption, limits = PAIRS_RULE, None
        title = f"{scores.study.title}: preference (logarithm of odds)"
    return draw_intervals(sorted(dots, key=lambda each: -each.value), title, caption, limits)
