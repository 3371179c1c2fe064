"""The numbers of a study as lines of text and as one object for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from restore.plugins.opinions.sessions import METHOD_NAMES
from restore.plugins.opinions.statistics import (
    CORRELATION_RULE,
    INTERVAL_RULES,
    PAIRS_RULE,
    SUBJECT_MODEL,
    Correlation,
    IntervalRule,
    OpinionMean,
    correlate_observers,
)
from restore.plugins.opinions.study_scores import ComparedStudy, RatedStudy, StudyScores

DIFFERENTIAL_RULE = (
    "DMOS: score - score of the hidden reference + 5, of each observer; 5 is as good as the reference (ITU-T P.910)"
)


def format_scores(scores: StudyScores, rule: IntervalRule) -> Iterator[str]:
    """Yield the lines that tell the numbers of a study, each with its rule."""
    study = scores.study
    count = len(scores.observers)
    yield f"{study.title}: {METHOD_NAMES[study.method]}"
    yield (
        f"{_count(count, 'observer')}, {_count(len(study.images), 'image')}, {_count(len(study.methods), 'method')}"
        + (" and the reference" if study.reference is not None else "")
    )
    yield ""
    if isinstance(scores.result, RatedStudy):
        yield from _format_rated(scores, scores.result, rule)
    else:
        yield from _format_compared(scores.result)
    yield from _format_correlations(scores.result.correlations)
    yield from _format_observers(scores)
    yield from (f"note: {note}" for note in scores.notes)


def _format_rated(scores: StudyScores, result: RatedStudy, rule: IntervalRule) -> Iterator[str]:
    # Degradation category rating: ITU-T P.910 calls its mean DMOS, but nothing is subtracted.
    heading = "mean impairment score" if scores.study.method == "double" else "MOS"
    rows = [["method", heading, *(["DMOS"] if result.differential else []), "observers"]]
    ordered = sorted(result.methods.items(), key=lambda item: -item[1].value)
    for method, mean in ordered:
        name = f"{method} (hidden reference)" if method == scores.study.reference else method
        differential = [_format_interval(result.differential.get(method))] if result.differential else []
        rows.append([name, _format_interval(mean), *differential, str(mean.observers)])
    yield from _align(rows)
    yield f"intervals of 95 %: {INTERVAL_RULES[rule]}"
    if result.differential:
        yield DIFFERENTIAL_RULE
    if result.screening is None:
        yield "screening of observers: none"
    else:
        rejected = [each for each in result.screening.observers if each.rejected]
        total = len(result.screening.observers)
        yield f"screening of observers: {result.screening.rule}"
        yield f"rejected: {len(rejected)} of {_count(total, 'observer')}" + (
            f" ({'; '.join(f'{each.observer}: {each.reason}' for each in rejected)})" if rejected else ""
        )


def _format_compared(result: ComparedStudy) -> Iterator[str]:
    scale = result.scale
    rows = [["method", "Bradley-Terry", "preferred"]]
    for index in np.argsort(-scale.strengths, kind="stable"):
        won, lost = scale.wins[index].sum(), scale.wins[:, index].sum()
        strength = f"{scale.strengths[index]:+.2f} ± {1.96 * scale.errors[index]:.2f}"
        rows.append([scale.methods[index], strength, f"{100 * won / (won + lost):.0f} % of {won + lost:.0f}"])
    yield from _align(rows)
    yield f"{PAIRS_RULE}; natural logarithms of odds, sum zero"
    yield f"{_count(result.answers, 'comparison')}; observers are not screened: there is no rule for preferences"


def _format_correlations(correlations: Mapping[str, Correlation | None]) -> Iterator[str]:
    if not correlations:
        return
    yield ""
    rows = [["metric", "PLCC", "SROCC", "KROCC", "presentations"]]
    for name, found in correlations.items():
        if found is None:
            rows.append([name, "-", "-", "-", "-"])
        else:
            values = (f"{value:+.3f}" for value in (found.plcc, found.srocc, found.krocc))
            rows.append([name, *values, str(found.presentations)])
    yield from _align(rows)
    yield f"agreement with opinion: {CORRELATION_RULE}"


def _format_observers(scores: StudyScores) -> Iterator[str]:
    result = scores.result
    rows = [["observer"]]
    names: Sequence[str] = scores.observers
    if isinstance(result, RatedStudy):
        names = result.scores.observers
        rows = [["observer", "bias", "inconsistency", "r"]]
        correlations = correlate_observers(result.scores)
        for index, name in enumerate(names):
            model = result.subjects
            own = ["-", "-"] if model is None else [f"{model.bias[index]:+.2f}", f"{model.inconsistency[index]:.2f}"]
            rows.append([name, *own, _number(float(correlations[index]), ".2f")])
    else:
        rows += [[name] for name in names]
    found = dict(zip(scores.observers, scores.consistency, strict=True))
    if any(found.values()):
        rows[0].append("repeats: same")
        for row, name in zip(rows[1:], names, strict=True):
            each = found[name]
            row.append("-" if each is None else f"{each.same * each.repeats:.0f} of {each.repeats}")
    if len(rows[0]) == 1:
        return
    yield ""
    yield from _align(rows)
    if isinstance(result, RatedStudy):
        yield f"bias and inconsistency: {SUBJECT_MODEL}; r: correlation with the means of all"


def _format_interval(mean: OpinionMean | None) -> str:
    if mean is None or math.isnan(mean.value):
        return "-"
    return f"{mean.value:.2f}" if math.isnan(mean.half_width) else f"{mean.value:.2f} ± {mean.half_width:.2f}"


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows with the first column on the left and the others right-aligned under their headings."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def to_json_object(scores: StudyScores, rule: IntervalRule) -> dict[str, Any]:
    """Return all numbers of a study, with their rules, ready for JSON."""
    result = scores.result
    parts = _to_rated_object(result, rule) if isinstance(result, RatedStudy) else _to_compared_object(result)
    return {
        "study": scores.study.model_dump(mode="json"),
        "observers": list(scores.observers),
        **parts,
        "correlations": [
            {"metric": name, **(asdict(found) if found is not None else {"plcc": None, "srocc": None, "krocc": None})}
            for name, found in result.correlations.items()
        ],
        "correlation_rule": CORRELATION_RULE,
        "consistency": [
            {"observer": name, **asdict(each)}
            for name, each in zip(scores.observers, scores.consistency, strict=True)
            if each is not None
        ],
        "notes": list(scores.notes),
    }


def _to_rated_object(result: RatedStudy, rule: IntervalRule) -> dict[str, Any]:
    scored = result.scores
    model = result.subjects
    return {
        "interval_rule": INTERVAL_RULES[rule],
        "methods": [{"method": name, **_mean_object(mean)} for name, mean in result.methods.items()],
        "differential_rule": DIFFERENTIAL_RULE,
        "differential": [{"method": name, **_mean_object(mean)} for name, mean in result.differential.items()],
        "presentations": [
            {**asdict(each), **_mean_object(mean)}
            for each, mean in zip(scored.presentations, result.presentations, strict=True)
        ],
        "screening": None if result.screening is None else asdict(result.screening),
        "subject_model": None
        if model is None
        else {
            "rule": SUBJECT_MODEL,
            "observers": [
                {"observer": name, "bias": model.bias[i], "inconsistency": model.inconsistency[i]}
                for i, name in enumerate(scored.observers)
            ],
            "presentations": [
                {**asdict(each), "quality": model.quality[i], "half_width": 1.96 * model.quality_error[i]}
                for i, each in enumerate(scored.presentations)
            ],
        },
        "scores": {
            name: [None if math.isnan(score) else score for score in row]
            for name, row in zip(scored.observers, scored.values.tolist(), strict=True)
        },
    }


def _mean_object(mean: OpinionMean) -> dict[str, Any]:
    return {
        "mean": mean.value,
        "low": mean.low,
        "high": mean.high,
        **{k: v for k, v in asdict(mean).items() if k != "value"},
    }


def _to_compared_object(result: ComparedStudy) -> dict[str, Any]:
    scale = result.scale
    return {
        "rule": PAIRS_RULE,
        "comparisons": result.answers,
        "smoothed": scale.smoothed,
        "methods": [
            {"method": name, "strength": scale.strengths[i], "half_width": 1.96 * scale.errors[i]}
            for i, name in enumerate(scale.methods)
        ],
        "wins": scale.wins.tolist(),
    }
