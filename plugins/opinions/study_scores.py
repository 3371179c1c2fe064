"""The numbers of a study: from what observers saved to means, scales and agreement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from restore.core.errors import UsageError
from restore.plugins.opinions.sessions import Preference, Session, StudyInfo
from restore.plugins.opinions.statistics import (
    Consistency,
    Correlation,
    IntervalRule,
    NoEstimate,
    OpinionMean,
    PairScale,
    Presentation,
    Scores,
    Screening,
    SubjectModel,
    average_methods,
    average_presentations,
    compare_repeated_preferences,
    compare_repeats,
    compute_differential_scores,
    correlate_metric,
    count_wins,
    estimate_subjects,
    fit_bradley_terry,
    screen_bt500,
    screen_pearson,
)

MetricTable = Mapping[str, Mapping[Presentation, float]]
"""Values of metrics: by the metric's name with its convention, and by presentation, under the names of the study."""


@dataclass(frozen=True)
class RatedStudy:
    """What scores from 1 to 5 say."""

    scores: Scores
    """Of all observers, the rejected ones included."""
    screening: Screening | None
    presentations: Sequence[OpinionMean]
    """In the order of ``scores.presentations``, without rejected observers, as everything below."""
    methods: Mapping[str, OpinionMean]
    differential: Mapping[str, OpinionMean]
    """Differential scores of the methods; empty without a hidden reference."""
    subjects: SubjectModel | None
    """Of all observers; None with a note if it cannot be estimated."""
    correlations: Mapping[str, Correlation | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ComparedStudy:
    """The scale that the preferences of a study lead to, and how metrics agree with it."""

    scale: PairScale
    answers: int
    correlations: Mapping[str, Correlation | None] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyScores:
    """All numbers of a study."""

    study: StudyInfo
    observers: tuple[str, ...]
    result: RatedStudy | ComparedStudy
    consistency: Sequence[Consistency | None]
    """Of each observer; None without repeats."""
    notes: Sequence[str]
    """What a reader has to know about the answers."""


def score_study(
    sessions: Sequence[Session], screen: str, rule: IntervalRule, metrics: MetricTable | None = None
) -> StudyScores:
    """Return the numbers of a study.

    Args:
        sessions: what its observers saved.
        screen: ``bt500``, ``pearson`` or ``none``.
        rule: the factor of intervals.
        metrics: values of metrics, to be correlated with opinion.

    Raises:
        UsageError: the sessions are of different studies.
        NoEstimate: there is no answer to score, or pairs do not connect the methods.
    """
    study = sessions[0].study
    if any(session.study != study for session in sessions):
        raise UsageError("the files are answers to different studies; score the files of each study on their own")
    sessions, notes = _drop_doubles(sessions)
    names = _name_observers(sessions)
    unfinished = [name for name, session in zip(names, sessions, strict=True) if not session.finished]
    if unfinished:
        notes.append(f"not finished, and scored as far as it goes: {', '.join(unfinished)}")
    if study.method == "pairs":
        result: RatedStudy | ComparedStudy = _score_pairs(study, sessions, metrics or {}, notes)
    else:
        result = _score_ratings(study, sessions, names, screen, rule, metrics or {}, notes)
    return StudyScores(study, names, result, [_compare_repeats(session) for session in sessions], notes)


def _drop_doubles(sessions: Sequence[Session]) -> tuple[list[Session], list[str]]:
    """Return sessions with the fullest of those that were saved several times, and a note about the others."""
    fullest: dict[str, Session] = {}
    for session in sessions:
        key = session.observer.session
        size = len(session.ratings) + len(session.preferences)
        if key not in fullest or size > len(fullest[key].ratings) + len(fullest[key].preferences):
            fullest[key] = session
    twice = [
        session.observer.name
        for session in fullest.values()
        if sum(each.observer.session == session.observer.session for each in sessions) > 1
    ]
    notes = [f"saved several times, and counted once: {', '.join(twice)}"] if twice else []
    return list(fullest.values()), notes


def _name_observers(sessions: Sequence[Session]) -> tuple[str, ...]:
    """Return a name for each session; a name that several have gets a number."""
    counts = Counter(session.observer.name for session in sessions)
    numbers: Counter[str] = Counter()
    names = []
    for session in sessions:
        name = session.observer.name
        numbers[name] += 1
        names.append(f"{name} ({numbers[name]})" if counts[name] > 1 else name)
    return tuple(names)


def _score_ratings(
    study: StudyInfo,
    sessions: Sequence[Session],
    names: tuple[str, ...],
    screen: str,
    rule: IntervalRule,
    metrics: MetricTable,
    notes: list[str],
) -> RatedStudy:
    scores = _collect_scores(study, sessions, names, notes)
    screening = {"bt500": screen_bt500, "pearson": screen_pearson}[screen](scores) if screen != "none" else None
    if screening is not None and screening.all_rejected:
        notes.append("the rule would reject every observer, so it rejects none")
    kept = scores if screening is None else scores.keep_observers(screening.kept)
    if screen == "bt500":
        doubtful = [each for each in screen_pearson(scores).observers if each.rejected]
        if doubtful:
            told = "; ".join(f"{each.observer}: {each.reason}" for each in doubtful)
            notes.append(f"--screen pearson would reject {told}")
    if len(kept.observers) < 2:
        notes.append("one observer: no interval and no screening")
    differential: Mapping[str, OpinionMean] = {}
    if study.method == "single" and study.reference in kept.methods and len(kept.methods) > 1:
        differential = average_methods(compute_differential_scores(kept, str(study.reference)), rule)
    try:
        subjects = estimate_subjects(scores)
    except NoEstimate as error:
        subjects = None
        notes.append(str(error))
    means = average_presentations(kept, rule)
    opinions = {each: mean.value for each, mean in zip(kept.presentations, means, strict=True)}
    correlations = {name: _correlate(values, opinions) for name, values in metrics.items()}
    return RatedStudy(scores, screening, means, average_methods(kept, rule), differential, subjects, correlations)


def _collect_scores(study: StudyInfo, sessions: Sequence[Session], names: tuple[str, ...], notes: list[str]) -> Scores:
    """Return the scores of the test; observers without any, and presentations that nobody scored, are left out."""
    everything = [Presentation(image, method) for method in study.scored for image in study.images]
    places = {each: index for index, each in enumerate(everything)}
    values = np.full((len(sessions), len(everything)), np.nan)
    for row, session in zip(values, sessions, strict=True):
        for rating in session.ratings:
            if rating.role == "test":
                row[places[Presentation(rating.image, rating.method)]] = rating.score
    scores = Scores(values, names, tuple(everything))
    given = ~np.isnan(values)
    silent = [name for name, row in zip(names, given, strict=True) if not row.any()]
    if len(silent) == len(names):
        raise NoEstimate("no observer has scored anything yet, beside training; nothing to count")
    if silent:
        notes.append(f"without any score, and left out: {', '.join(silent)}")
    missing = int((~given[given.any(axis=1)]).sum())
    if missing:
        notes.append(f"{missing} scores are missing; each mean is over those who scored")
    return scores.keep_observers(list(given.any(axis=1))).keep_presentations(list(given.any(axis=0)))


def _score_pairs(
    study: StudyInfo, sessions: Sequence[Session], metrics: MetricTable, notes: list[str]
) -> ComparedStudy:
    answers = [each for session in sessions for each in session.preferences if each.role == "test"]
    if not answers:
        raise NoEstimate("no observer has compared anything yet, beside training; nothing to count")
    shown = [name for name in study.scored if any(name in each.methods for each in answers)]
    scale = fit_bradley_terry(shown, count_wins(shown, ((each.preferred, each.other) for each in answers)))
    if scale.smoothed:
        notes.append(
            "a method, or a group of methods, was always or never preferred: half a preference was added to both sides "
            "of each compared pair, so that the scale is finite"
        )
    opinions = _share_won(answers)
    correlations = {name: _correlate(values, opinions) for name, values in metrics.items()}
    return ComparedStudy(scale, len(answers), correlations)


def _share_won(answers: Sequence[Preference]) -> dict[Presentation, float]:
    """Return how often each result was preferred among the comparisons that showed it."""
    won: Counter[Presentation] = Counter(Presentation(each.image, each.preferred) for each in answers)
    shown: Counter[Presentation] = Counter(Presentation(each.image, name) for each in answers for name in each.methods)
    return {each: won[each] / count for each, count in shown.items()}


def _correlate(values: Mapping[Presentation, float], opinions: Mapping[Presentation, float]) -> Correlation | None:
    shared = [each for each in opinions if each in values]
    return correlate_metric([values[each] for each in shared], [opinions[each] for each in shared])


def _compare_repeats(session: Session) -> Consistency | None:
    """Return how consistent an observer is on what was shown twice."""
    first_scores = {(each.image, each.method): each for each in session.ratings if each.role == "test"}
    scored = [
        (first_scores[each.image, each.method].score, each.score)
        for each in session.ratings
        if each.role == "repeat" and (each.image, each.method) in first_scores
    ]
    first = {(each.image, frozenset(each.methods)): each for each in session.preferences if each.role == "test"}
    compared = [
        (first[each.image, frozenset(each.methods)].preferred, each.preferred)
        for each in session.preferences
        if each.role == "repeat" and (each.image, frozenset(each.methods)) in first
    ]
    return compare_repeated_preferences(compared) if compared else compare_repeats(scored)
