"""Statistics of opinions: means with intervals, screening of observers, pairs, and agreement of metrics with opinion.

Every function takes arrays and returns data; none reads a file. The rules are those of ITU-R BT.500, ITU-T P.910 and
P.913.
"""

from restore.plugins.opinions.statistics.consistency import Consistency, compare_repeated_preferences, compare_repeats
from restore.plugins.opinions.statistics.correlation import CORRELATION_RULE, Correlation, correlate_metric
from restore.plugins.opinions.statistics.means import (
    INTERVAL_RULES,
    IntervalRule,
    OpinionMean,
    average_methods,
    average_presentations,
    compute_differential_scores,
)
from restore.plugins.opinions.statistics.pairs import PAIRS_RULE, PairScale, count_wins, fit_bradley_terry
from restore.plugins.opinions.statistics.scores import NoEstimate, Presentation, Scores
from restore.plugins.opinions.statistics.screening import (
    BT500_RULE,
    PEARSON_RULE,
    ScreenedObserver,
    Screening,
    correlate_observers,
    screen_bt500,
    screen_pearson,
)
from restore.plugins.opinions.statistics.subjects import SUBJECT_MODEL, SubjectModel, estimate_subjects

__all__ = [
    "BT500_RULE",
    "CORRELATION_RULE",
    "INTERVAL_RULES",
    "PAIRS_RULE",
    "PEARSON_RULE",
    "SUBJECT_MODEL",
    "Consistency",
    "Correlation",
    "IntervalRule",
    "NoEstimate",
    "OpinionMean",
    "PairScale",
    "Presentation",
    "Scores",
    "ScreenedObserver",
    "Screening",
    "SubjectModel",
    "average_methods",
    "average_presentations",
    "compare_repeated_preferences",
    "compare_repeats",
    "compute_differential_scores",
    "correlate_metric",
    "correlate_observers",
    "count_wins",
    "estimate_subjects",
    "fit_bradley_terry",
    "screen_bt500",
    "screen_pearson",
]
