"""How long a run will still take, as far as what it has done so far can tell."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from restore.cli.console.durations import format_duration
from restore.core import events
from restore.core.intervals import Interval
from restore.core.runs.folder import RunFolder

WINDOW = 50
"""Steps whose mean is the time of a step."""
SETTLING = 10
"""First steps of a phase that are left out once others are known: kernels are chosen and compiled in them."""
RECENT = 3
"""Evaluations, checkpoints and starts of epochs whose mean is the time of one."""


@dataclass(frozen=True)
class Estimate:
    """How long it will take to the end of the phase in progress, or of the run."""

    seconds: float
    phase_only: bool
    """Whether phases follow whose speed nobody knows yet."""
    may_stop_early: bool
    """Whether the phase may end sooner."""
    without_validation: bool
    """Whether evaluations are to come, and none was timed yet: they are not part of ``seconds``."""

    def __str__(self) -> str:
        """``5 min 31 s left``, ``at most 2 min 0 s + validation left in this phase``."""
        return "".join(
            (
                "at most " if self.may_stop_early else "",
                format_duration(self.seconds),
                " + validation" if self.without_validation else "",
                " left in this phase" if self.phase_only else " left",
            )
        )


class TimeLeft:
    """Follows a run's events and estimates what is left of it.

    All time that passes belongs to one of four kinds: a step, the start of an epoch, an evaluation with its samples, a
    checkpoint. The time left is the number of each still to come times its mean time in this phase. A phase that has
    not begun is not estimated: an adversarial step may take ten times as long as one before it. An evaluation takes
    about as long in each phase, so that an earlier one counts until this phase has its own.

    Args:
        clock: gives seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mark = clock()
        self._saved_at = self._mark
        self._saved_step = -1
        self._schedule: events.RunStarted | None = None
        self._phase: events.PhaseStarted | None = None
        self._evaluations: deque[float] = deque(maxlen=RECENT)
        self._checkpoints: deque[float] = deque(maxlen=RECENT)
        self._known_evaluation: float | None = None
        self._estimate: Estimate | None = None
        self._begin()

    def _begin(self) -> None:
        """Forget what belongs to one phase only."""
        self._steps: deque[float] = deque(maxlen=WINDOW)
        self._starts: deque[float] = deque(maxlen=RECENT)
        self._settled = 0
        self._last: events.StepDone | None = None
        self._evaluated_epochs = 0

    def __call__(self, event: events.Event) -> None:
        """Take one event."""
        self._take(event)
        self._estimate = self._reckon()

    def estimate(self) -> Estimate | None:
        """What is left from now on; None before there is anything to tell it from. May be asked by any thread."""
        estimate = self._estimate
        if estimate is None:
            return None
        # what goes on at the moment has its share in the estimate
        return replace(estimate, seconds=max(0.0, estimate.seconds - (self._clock() - self._mark)))

    def _take(self, event: events.Event) -> None:
        match event:
            case events.RunStarted():
                self._schedule = event
                if event.resumed_at:
                    self._known_evaluation = _read_logged_evaluation(RunFolder(event.folder).log)
            case events.PhaseStarted():
                if self._evaluations:
                    self._known_evaluation = fmean(self._evaluations)
                    self._evaluations.clear()
                self._begin()
                self._phase = event
                self._lap()
            case events.StepDone():
                self._step(event)
            case events.Evaluated():
                seconds = self._lap()
                if event.run_step:  # before the first step only baselines are measured, which are other methods
                    self._evaluations.append(seconds)
                    self._evaluated_epochs = self._epochs_done()
            case events.SamplesWritten():
                seconds = self._lap()
                if self._evaluations:
                    self._evaluations[-1] += seconds
            case events.PhaseFinished():
                self._last = None  # even if it was planned to be longer
            case events.CheckpointSaved():
                self._checkpoints.append(self._lap())
                self._saved_at, self._saved_step = self._mark, event.run_step

    def _reckon(self) -> Estimate | None:
        """What was left at the last event that took time."""
        last, phase, schedule = self._last, self._phase, self._schedule
        if last is None or phase is None or schedule is None or not (self._steps or self._starts):
            return None
        last_phase = phase.index + 1 == len(schedule.phases)
        evaluations = self._evaluations_left(phase, schedule)
        evaluation = fmean(self._evaluations) if self._evaluations else self._known_evaluation
        rest = self._training_left(last, phase) + evaluations * (evaluation or 0.0)
        if self._checkpoints:
            count = self._checkpoints_left(last, phase, schedule, rest) + last_phase
            rest += count * fmean(self._checkpoints)
        return Estimate(
            seconds=rest,
            phase_only=not last_phase,
            may_stop_early=schedule.may_stop_early,
            without_validation=evaluations > 0 and evaluation is None,
        )

    def _lap(self) -> float:
        """Seconds since the last time that was accounted for."""
        now = self._clock()
        seconds, self._mark = now - self._mark, now
        return seconds

    def _step(self, event: events.StepDone) -> None:
        seconds = self._lap()
        if self._last is None:
            pass  # the first step of all brings up the processes that load data, and compiles
        elif event.step == 1:
            self._starts.append(seconds)
        else:
            self._steps.append(seconds)
            self._settled += 1
            if self._settled == 2 * SETTLING:
                for _ in range(SETTLING):
                    self._steps.popleft()
        self._last = event

    def _epochs_done(self) -> int:
        """Epochs of the phase whose steps are all done."""
        if self._last is None or self._phase is None:
            return 0
        return self._last.epoch - self._phase.first_epoch + (self._last.step == self._last.steps)

    def _training_left(self, last: events.StepDone, phase: events.PhaseStarted) -> float:
        """Seconds of the steps to come, with the starts of their epochs."""
        epochs = phase.epochs - (last.epoch - phase.first_epoch) - 1  # those to come after the one in progress
        steps = epochs * last.steps + last.steps - last.step
        step = fmean(self._steps or self._starts)
        start = fmean(self._starts) if self._starts else step
        return steps * step + epochs * (start - step)

    def _evaluations_left(self, phase: events.PhaseStarted, schedule: events.RunStarted) -> int:
        done = self._epochs_done()
        if self._last is not None and self._last.step == self._last.steps and self._evaluated_epochs < done:
            done -= 1  # the evaluation of this epoch, if it has one, comes next
        every = schedule.evaluate_every
        return phase.epochs // every - done // every + (phase.epochs % every > 0 and done < phase.epochs)

    def _checkpoints_left(
        self, last: events.StepDone, phase: events.PhaseStarted, schedule: events.RunStarted, rest: float
    ) -> int:
        """Checkpoints to come before the end of the phase, whose own one is not counted."""
        interval = Interval.parse(schedule.checkpoint_every)
        if interval.seconds:
            return int((self._mark - self._saved_at + rest) // interval.seconds)
        of_epoch = last.run_step - last.step  # the step of the run at which the epoch in progress began
        end = of_epoch + (phase.epochs - last.epoch + phase.first_epoch) * last.steps
        first = 0 if interval.steps else of_epoch - last.epoch % interval.epochs * last.steps
        period = interval.steps or interval.epochs * last.steps
        done = max(last.run_step - 1, self._saved_step)  # one that is due after the last step is to come
        return max(0, (end - 1 - first) // period - (done - first) // period)


def _read_logged_evaluation(log: Path) -> float | None:
    """Seconds of the last evaluation that a log holds: of a resumed run, before it was interrupted."""
    try:
        lines = log.read_bytes().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        with suppress(ValueError, TypeError, LookupError, AttributeError, RecursionError):  # a damaged line
            entry = json.loads(line)
            if entry["kind"] == "validation":
                return float(entry["seconds"]["evaluation"])
    return None
