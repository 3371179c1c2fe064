"""Statistics of opinions against independent computation: worked by hand, or with exact fractions, or by simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize, special, stats

from restore.plugins.opinions.statistics import (
    NoEstimate,
    Presentation,
    Scores,
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

NAN = math.nan


def make_scores(values: Sequence[Sequence[float]] | np.ndarray) -> Scores:
    """Scores of observers o0, o1, … for images 0, 1, … of one method."""
    matrix = np.asarray(values, float)
    presentations = tuple(Presentation(str(j), "method") for j in range(matrix.shape[1]))
    return Scores(matrix, tuple(f"o{i}" for i in range(len(matrix))), presentations)


def simulate(bias: Sequence[float], noise: Sequence[float], presentations: int = 60, seed: int = 0) -> np.ndarray:
    """Scores on a scale without ends: quality, plus each observer's bias and noise."""
    rng = np.random.default_rng(seed)
    quality = rng.uniform(1.5, 4.5, presentations)
    noises = np.asarray(noise)[:, None] * rng.standard_normal((len(bias), presentations))
    return quality + np.asarray(bias)[:, None] + noises


# --- means ------------------------------------------------------------------------------------------------------------


def test_a_mean_has_the_interval_of_its_rule() -> None:
    # 3, 4, 4, 5: S = sqrt(2/3); t(0.975, 3) = 3.182446 from a printed table
    scores = make_scores([[3], [4], [4], [5]])
    (student,), (normal,) = average_presentations(scores), average_presentations(scores, "normal")
    assert student.value == normal.value == 4
    assert student.deviation == pytest.approx(math.sqrt(2 / 3))
    assert student.half_width == pytest.approx(3.182446 * math.sqrt(2 / 3) / 2, rel=1e-6)
    assert (normal.low, normal.high) == pytest.approx((4 - 0.98 * math.sqrt(2 / 3), 4 + 0.98 * math.sqrt(2 / 3)))


def test_one_observer_and_none_have_no_interval() -> None:
    one, none = average_presentations(make_scores([[4, NAN]]))
    assert (one.value, one.observers, math.isnan(one.half_width)) == (4, 1, True)
    assert (math.isnan(none.value), none.observers) == (True, 0)


def test_the_interval_of_a_method_is_that_of_the_means_of_observers() -> None:
    values = simulate([0.5, -0.5, 0, 0.2], [0.4] * 4)
    mean = average_methods(make_scores(values))["method"]
    own = values.mean(axis=1)
    low, high = stats.t.interval(0.95, 3, loc=own.mean(), scale=stats.sem(own))
    assert (mean.value, mean.low, mean.high) == pytest.approx((own.mean(), low, high))


def test_missing_scores_do_not_move_a_method_as_if_its_images_were_other_ones() -> None:
    # The first observer saw only the good image; the plain mean of all scores would be 3.67.
    mean = average_methods(make_scores([[5, NAN], [5, 1]]))["method"]
    assert mean.value == 3
    assert mean.deviation == 0


def test_differential_scores_are_those_of_the_same_observer() -> None:
    shown = tuple(Presentation("a", method) for method in ("good", "bad", "original"))
    scores = Scores(np.array([[4, 2, 5], [3, 1, 3], [4, 2, NAN]], float), ("x", "y", "z"), shown)
    found = compute_differential_scores(scores, "original")
    assert found.methods == ("good", "bad")
    np.testing.assert_array_equal(found.values, [[4, 2], [5, 3], [NAN, NAN]])


# --- screening of BT.500 ----------------------------------------------------------------------------------------------


def judge_exactly(columns: Sequence[Sequence[int | None]]) -> list[tuple[int, int, bool]]:
    """P, Q and whether each observer is rejected by the text of the rule, in exact fractions; for whole scores."""
    observers = len(columns[0])
    above, below, judged = [0] * observers, [0] * observers, [0] * observers
    for column in columns:
        given = {i: Fraction(score) for i, score in enumerate(column) if score is not None}
        mean = sum(given.values(), Fraction(0)) / len(given)
        second = sum((u - mean) ** 2 for u in given.values()) / len(given)
        fourth = sum((u - mean) ** 4 for u in given.values()) / len(given)
        for i, u in given.items():
            judged[i] += 1
            if second == 0:
                continue
            variance = second * len(given) / (len(given) - 1)
            reach = 4 if 2 <= fourth / second**2 <= 4 else 20
            if (u - mean) ** 2 >= reach * variance:
                above[i] += u > mean
                below[i] += u < mean
    results = []
    for p, q, count in zip(above, below, judged, strict=True):
        far = p + q
        results.append(
            (p, q, far > 0 and Fraction(far, count) > Fraction(5, 100) and Fraction(abs(p - q), far) < Fraction(3, 10))
        )
    return results


def test_bt500_agrees_with_the_rule_in_exact_fractions() -> None:
    rejected = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        quality = rng.integers(1, 6, 40)
        values = np.clip(quality + np.rint(rng.normal(0, 0.6, (18, 40))), 1, 5)
        values[0] = rng.integers(1, 6, 40)  # answers at random
        values[1] = 6 - values[1]
        values[rng.random(values.shape) < 0.05] = NAN
        expected = judge_exactly([[None if math.isnan(u) else int(u) for u in column] for column in values.T])
        told = [
            f"{p + q} of {(~np.isnan(row)).sum()} scores far off: {p} above the mean, {q} below"
            for (p, q, _), row in zip(expected, values, strict=True)
        ]
        found = screen_bt500(make_scores(values))
        assert [each.reason for each in found.observers] == told
        assert [each.rejected for each in found.observers] == [wanted for *_, wanted in expected]
        rejected += sum(each.rejected for each in found.observers)
    assert rejected > 3


def test_who_is_off_in_one_direction_only_is_biased_and_stays() -> None:
    values = np.tile([[2.0], [3.0], [3.0], [3.0], [4.0]], (4, 20))
    values[0] = 5
    both = values.copy()
    both[0, ::2] = 1
    (one_sided, *_), (two_sided, *_) = (screen_bt500(make_scores(each)).observers for each in (values, both))
    assert (one_sided.rejected, one_sided.reason) == (False, "20 of 20 scores far off: 20 above the mean, 0 below")
    assert (two_sided.rejected, two_sided.reason) == (True, "20 of 20 scores far off: 10 above the mean, 10 below")


def test_the_kurtosis_chooses_between_2_and_the_root_of_20() -> None:
    # 19 scores of 3 and a 5: kurtosis 18.05, and the 5 is 19/sqrt(20) = 4.25 S above the mean: beyond 2, within 4.47.
    values = np.full((20, 1), 3.0)
    values[0] = 5
    assert screen_bt500(make_scores(values)).observers[0].reason.startswith("0 of 1")
    # With 24 observers it is 23/sqrt(24) = 4.69 S.
    more = np.full((24, 1), 3.0)
    more[0] = 5
    assert screen_bt500(make_scores(more)).observers[0].reason.startswith("1 of 1")


def test_five_percent_are_not_more_than_five_percent() -> None:
    # Two of 40 far off, one on each side, are 5 %; a third presentation of that kind makes it more.
    column = np.array([3] * 23 + [5.0])
    for far, rejected in ((2, False), (4, True)):
        values = np.full((24, 40), 3.0)
        for j in range(far):
            values[:, j] = column if j % 2 else 6 - column
        assert screen_bt500(make_scores(values)).observers[23].rejected is rejected


def test_unanimous_presentations_count_against_nobody() -> None:
    screening = screen_bt500(make_scores(np.full((5, 10), 4.0)))
    assert screening.kept == [True] * 5
    assert not screening.all_rejected
    assert screening.observers[0].reason.startswith("0 of 10")


def test_a_rule_that_rejects_everybody_rejects_nobody() -> None:
    screening = screen_pearson(make_scores([[1, 2, 3, 4], [2, 1, 3, 5]]), threshold=1.1)
    assert screening.all_rejected
    assert screening.kept == [True, True]


# --- screening by correlation -----------------------------------------------------------------------------------------


def test_pearson_rejects_who_does_not_go_with_the_others() -> None:
    values = simulate([0] * 6, [0.2] * 6)
    values[5] = values[5, ::-1]
    screening = screen_pearson(make_scores(values))
    assert screening.kept == [True] * 5 + [False]
    expected = stats.pearsonr(values[5], values.mean(axis=0)).statistic
    assert screening.observers[5].reason == f"r = {expected:.3f}"


def test_one_score_for_everything_is_rejected_unless_all_do_so() -> None:
    values = [[1, 2, 3, 4, 5], [1, 2, 3, 5, 5], [3, 3, 3, 3, 3]]
    screening = screen_pearson(make_scores(values))
    assert screening.kept == [True, True, False]
    assert screening.observers[2].reason == "gave 3 to everything, so r is not defined"
    assert screen_pearson(make_scores(np.full((3, 5), 3.0))).kept == [True] * 3


# --- bias and inconsistency -------------------------------------------------------------------------------------------


def test_known_biases_are_found() -> None:
    bias, noise = np.linspace(-0.8, 0.8, 9), [0.5, 0.6, 0.5, 1.4, 0.6, 0.5, 0.7, 0.6, 0.5]
    model = estimate_subjects(make_scores(simulate(list(bias), noise, 400)))
    assert np.abs((model.bias - bias) / model.bias_error).max() < 3
    np.testing.assert_allclose(model.inconsistency, noise, atol=0.1)


def test_the_estimate_is_the_maximum_of_the_likelihood() -> None:
    values = simulate(list(np.linspace(-0.5, 0.5, 16)), list(np.linspace(0.6, 0.8, 16)), 20, seed=3)
    values[2, 4] = values[0, 7] = NAN
    model = estimate_subjects(make_scores(values))
    observers, count = values.shape

    def loss(point: np.ndarray) -> float:
        quality, bias, log_noise = np.split(point, [count, count + observers])
        residual = (values - quality - bias[:, None]) / np.exp(log_noise)[:, None]
        return float(np.nansum(residual**2 / 2 + np.where(np.isnan(values), 0, log_noise[:, None])))

    start = np.concatenate([np.nanmean(values, axis=0), np.zeros(observers), np.full(observers, -0.5)])
    found = optimize.minimize(loss, start, method="BFGS", options={"gtol": 1e-7, "maxiter": 5000}).x
    quality, bias, log_noise = np.split(found, [count, count + observers])
    np.testing.assert_allclose(model.quality, quality + bias.mean(), atol=2e-5)  # the sum of biases is free
    np.testing.assert_allclose(model.bias, bias - bias.mean(), atol=2e-5)
    np.testing.assert_allclose(model.inconsistency, np.exp(log_noise), atol=2e-5)


def test_the_estimate_is_that_of_sureal() -> None:
    """Numbers of sureal 0.9.0 (SubjectMLEModelProjectionSolver) for these scores: one line for each observer."""
    scores = """
        322341122233131243311214
        421441123223231243321324
        313442212233131343322224
        312542121233321343312324
        322431212234231144222325
        412441222234232344432324
        233342232143121344322325
        222541112232232244322225
        513552223334241454333223
        432353323233242345432234
        432552223233432325323424
        333552223344223445432234
        423442223244332335531315
        213331312345331443421444
        423442234342143345232335
        555453524253332454533324
    """
    model = estimate_subjects(make_scores([[int(score) for score in row] for row in scores.split()]))
    np.testing.assert_allclose(
        model.quality[:8], [3.494724, 2.014624, 2.494980, 4.123969, 4.255432, 1.721614, 1.930671, 1.938726], atol=2e-6
    )
    np.testing.assert_allclose(
        model.bias[:8],
        [-0.580729, -0.372396, -0.330729, -0.330729, -0.330729, -0.039063, -0.164063, -0.330729],
        atol=2e-6,
    )
    np.testing.assert_allclose(
        model.inconsistency[:8],
        [0.378109, 0.511380, 0.396135, 0.611036, 0.586491, 0.410767, 0.686063, 0.556704],
        atol=2e-6,
    )
    np.testing.assert_allclose(1.96 * model.quality_error, 0.279422, atol=2e-6)  # sureal: 0.279416, with 1.95996


def test_the_intervals_of_quality_hold_it_nineteen_times_in_twenty() -> None:
    bias, noise = np.linspace(-0.5, 0.5, 16), np.linspace(0.5, 0.9, 16)
    inside = []
    for seed in range(20):
        quality = np.random.default_rng(seed).uniform(1.5, 4.5, 60)
        model = estimate_subjects(make_scores(simulate(list(bias), list(noise), 60, seed)))
        inside.append(np.abs(model.quality - quality) <= 1.96 * model.quality_error)
    assert 0.9 < np.mean(inside) < 0.97  # below 0.95: the errors treat the noise as known


def test_agreement_without_any_noise_is_exact() -> None:
    model = estimate_subjects(make_scores([[1, 3, 4], [2, 4, 5], [1, 3, 4]]))
    np.testing.assert_allclose(model.bias, [-1 / 3, 2 / 3, -1 / 3])
    assert (model.inconsistency == 0).all()
    assert (model.quality_error == 0).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1, 2, 3], [2, 3, 4]], "three observers"),
        (simulate([0, 0, 0], [0.1, 1, 1]).tolist(), "can match o0 exactly"),
        ([[1, 2, NAN, NAN], [2, 3, NAN, NAN], [NAN, NAN, 2, 3]], "share none"),
    ],
)
def test_too_little_for_the_model_of_biases_is_said(values: list[list[float]], message: str) -> None:
    with pytest.raises(NoEstimate, match=message):
        estimate_subjects(make_scores(values))


# --- pairs ------------------------------------------------------------------------------------------------------------


def test_two_methods_have_the_logarithm_of_their_odds() -> None:
    scale = fit_bradley_terry(["a", "b"], np.array([[0, 30], [10, 0]], float))
    assert scale.strengths == pytest.approx([math.log(3) / 2, -math.log(3) / 2])
    assert scale.probability("a", "b") == pytest.approx(0.75)
    # the variance of the logarithm of odds is 1/30 + 1/10, and a strength is half of it
    assert scale.errors == pytest.approx([math.sqrt(1 / 30 + 1 / 10) / 2] * 2)
    assert not scale.smoothed


def test_bradley_terry_is_a_logistic_regression() -> None:
    rng = np.random.default_rng(0)
    methods, true = ["a", "b", "c", "d"], np.array([0.9, 0.2, -0.3, -0.8])
    answers = []
    for i, j in [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)] * 60:
        answers.append((methods[i], methods[j])[:: 1 if rng.random() < special.expit(true[i] - true[j]) else -1])
    wins = count_wins(methods, answers)
    scale = fit_bradley_terry(methods, wins)

    def loss(free: np.ndarray) -> float:
        strengths = np.append(free, -free.sum())
        return float(-(wins * special.log_expit(strengths[:, None] - strengths[None, :])).sum())

    found = optimize.minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    assert scale.strengths == pytest.approx(np.append(found.x, -found.x.sum()), abs=1e-5)
    assert np.abs(scale.strengths - true).max() < 3 * scale.errors.max()
    slope = optimize.approx_fprime(found.x, lambda x: optimize.approx_fprime(x, loss, 1e-5), 1e-4)
    assert scale.errors[:3] == pytest.approx(np.sqrt(np.diag(np.linalg.inv(slope))), rel=1e-3)


def test_a_method_that_always_wins_gets_a_finite_place_that_is_marked() -> None:
    scale = fit_bradley_terry(["a", "b", "c"], np.array([[0, 5, 5], [0, 0, 3], [0, 2, 0]], float))
    assert scale.smoothed
    assert np.isfinite(scale.strengths).all()
    assert list(np.argsort(-scale.strengths)) == [0, 1, 2]
    assert scale.wins[0, 1] == 5  # what was counted stays


def test_methods_that_never_met_cannot_be_placed() -> None:
    wins = np.array([[0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 2], [0, 0, 1, 0]], float)
    with pytest.raises(NoEstimate, match="c, d cannot be placed"):
        fit_bradley_terry(["a", "b", "c", "d"], wins)


# --- consistency and agreement ----------------------------------------------------------------------------------------


def test_repeats_tell_how_consistent_an_observer_is() -> None:
    found = compare_repeats([(1, 1), (2, 4), (5, 4), (3, 3)])
    assert found is not None
    assert (found.repeats, found.same, found.difference) == (4, 0.5, 0.75)
    preferred = compare_repeated_preferences([("a", "a"), ("a", "b")])
    assert preferred is not None
    assert preferred.same == 0.5
    assert compare_repeats([]) is None


def test_agreement_of_a_metric_with_opinion() -> None:
    opinions = [1, 2, 3, 4, 5, NAN, 2]
    found = correlate_metric([10, 20, 30, 50, 40, 60, math.inf], opinions)
    assert found is not None
    assert found.presentations == 5
    assert (found.srocc, found.krocc) == pytest.approx((0.9, 0.8))  # one of ten pairs is turned round
    assert found.plcc == pytest.approx(0.9)
    assert correlate_metric([1, 1, 1], [1, 2, 3]) is None
    assert correlate_metric([1, 2], [1, 2]) is None
