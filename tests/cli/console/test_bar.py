"""The time left on a bar."""

import pytest

from restore.cli.console.bar import Pace


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_the_first_step_does_not_count():
    clock = Clock()
    pace = Pace(clock)
    for done, now in ((1, 40.0), (2, 41.0), (3, 42.0)):  # the first tile takes forty times as long
        clock.now = now
        pace.step(done, 10)
        assert pace.estimate_left() == (None if done == 1 else pytest.approx(10 - done))
    clock.now = 44.0
    assert pace.estimate_left() == pytest.approx(5)  # it goes on between two steps
    clock.now = 60.0
    assert pace.estimate_left() == 0


def test_other_work_begins_anew():
    clock = Clock()
    pace = Pace(clock)
    for done, total, now, left in ((1, 4, 1, None), (2, 4, 2, 2), (1, 4, 9, None), (2, 4, 19, 20), (1, 3, 20, None)):
        clock.now = float(now)
        pace.step(done, total)
        assert pace.estimate_left() == left
