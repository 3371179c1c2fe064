"""The time left of simulated runs is right within a quarter, whatever a phase, an evaluation or a checkpoint takes."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from restore.cli.console.time_left import Estimate, TimeLeft
from restore.core import events
from restore.core.intervals import Interval

TOLERANCE = 0.25


@dataclass(frozen=True)
class SimulatedPhase:
    """How long everything takes in one phase, in seconds."""

    name: str
    epochs: int
    step: float
    evaluation: float = 2.0
    checkpoint: float = 0.1
    ends_after: int | None = None
    """Epochs after which it stops early."""


@dataclass
class SimulatedRun:
    """Plays the events of a run and moves its own clock, as the engine would in real time."""

    phases: list[SimulatedPhase]
    steps: int = 20
    evaluate_every: int = 1
    checkpoint_every: str = "1e"
    loading: float = 0.0
    """Seconds at the start of each epoch, in which processes that load data come up."""
    resumed_at: int | None = None
    folder: Path = Path("runs/x")
    now: float = 1000.0
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def clock(self) -> float:
        return self.now

    def play(self) -> Iterator[events.Event]:
        """The events in order, each after the time that it took."""
        self.saved_at = self.now
        yield events.RunStarted(
            "toy/toy", self.folder, [(p.name, p.epochs) for p in self.phases], self.steps, 16 * self.steps, 5, 1,
            {}, "cpu", "fp32", 1, self.resumed_at,
            evaluate_every=self.evaluate_every, checkpoint_every=self.checkpoint_every,
            may_stop_early=any(p.ends_after for p in self.phases),
        )  # fmt: skip
        self.done, self.epoch = self.resumed_at or 0, (self.resumed_at or 0) // self.steps
        for index, phase in enumerate(self.phases):
            first = sum(p.epochs for p in self.phases[:index]) if self.resumed_at else self.epoch
            if self.epoch >= first + phase.epochs:
                continue  # over before the run was interrupted
            yield events.PhaseStarted(phase.name, index, phase.epochs, first)
            if self.done == 0:
                self.now += 7.0
                yield events.Evaluated("bicubic", 0, 0, [], best=False)
            if self.done != self.resumed_at:
                yield self._save(phase)
            yield from self._epochs(phase, first)
            yield events.PhaseFinished(phase.name, phase.ends_after is not None)
        yield self._save(self.phases[-1])

    def _epochs(self, phase: SimulatedPhase, first: int) -> Iterator[events.Event]:
        interval = Interval.parse(self.checkpoint_every)
        for epoch in range(self.epoch - first, phase.ends_after or phase.epochs):
            self.now += self.loading
            for step in range(self.done % self.steps, self.steps):
                slow = 15.0 if step == 0 and epoch == 0 else 1.0  # kernels are chosen
                self.now += phase.step * slow * self.rng.uniform(0.8, 1.2)
                self.done += 1
                yield events.StepDone(
                    phase.name, self.epoch, 99, step + 1, self.steps, self.done, 999, 16, phase.step, 0.0
                )
                if step + 1 < self.steps and self._due(interval):
                    yield self._save(phase)
            if (epoch + 1) % self.evaluate_every == 0 or epoch + 1 == phase.epochs:
                self.now += phase.evaluation * self.rng.uniform(0.9, 1.1)
                yield events.Evaluated(phase.name, self.epoch, self.done, [], best=True)
                self.now += 0.2
                yield events.SamplesWritten(Path("sheet.png"), self.done)
            self.epoch += 1
            of_epochs = interval.epochs and self.epoch % interval.epochs == 0
            if epoch + 1 < phase.epochs and (of_epochs or self._due(interval)):
                yield self._save(phase)

    def _due(self, interval: Interval) -> bool:
        if interval.seconds:
            return self.now - self.saved_at >= interval.seconds
        return interval.steps > 0 and self.done % interval.steps == 0

    def _save(self, phase: SimulatedPhase) -> events.CheckpointSaved:
        self.now += phase.checkpoint
        self.saved_at = self.now
        return events.CheckpointSaved(Path("step"), self.done)


@dataclass(frozen=True)
class Moment:
    """What was said at a time, and in which phase."""

    at: float
    phase: int
    epoch: int
    estimate: Estimate | None


def watch(run: SimulatedRun) -> tuple[list[Moment], dict[int, float]]:
    """What was said after each event, and when each phase was over; the last one is, when the run is."""
    left = TimeLeft(run.clock)
    moments: list[Moment] = []
    ends: dict[int, float] = {}
    phase = epoch = 0
    for event in run.play():
        left(event)
        if isinstance(event, events.PhaseStarted):
            phase = event.index
        elif isinstance(event, events.PhaseFinished):
            ends[phase] = run.now
        elif isinstance(event, events.StepDone):
            epoch = event.epoch
        moments.append(Moment(run.now, phase, epoch, left.estimate()))
    ends[phase] = run.now
    return moments, ends


def check(run: SimulatedRun) -> list[Moment]:
    """Assert that from the second epoch on and after the first minute everything said is true; return what was said.

    Seconds count for nothing at the very end, where a quarter of what is left is less than the noise of one step.
    """
    began = run.now
    moments, ends = watch(run)
    said = [m for m in moments if m.estimate and not m.estimate.without_validation]
    late = [m for m in said if m.epoch >= 1 and m.at >= began + 60]
    assert len(late) > len(moments) / 3
    for moment in late:
        truth = ends[moment.phase] - moment.at
        assert moment.estimate is not None
        assert moment.estimate.seconds == pytest.approx(truth, rel=TOLERANCE, abs=2.0), moment
    return said


def test_two_phases_of_different_speed_are_estimated_one_by_one():
    said = check(SimulatedRun([SimulatedPhase("pretrain", 6, 0.5), SimulatedPhase("adversarial", 6, 5.0)]))
    assert all(moment.estimate.phase_only == (moment.phase == 0) for moment in said)
    assert str(said[0].estimate).endswith("left in this phase")
    assert str(said[-1].estimate) == "0 s left"


def test_a_slow_evaluation_is_part_of_it():
    check(SimulatedRun([SimulatedPhase("only", 8, 0.5, evaluation=60.0)]))


def test_slow_checkpoints_are_part_of_it():
    for every in ("1e", "3e", "7", "30s", "2m"):
        check(SimulatedRun([SimulatedPhase("only", 10, 0.5, checkpoint=12.0)], checkpoint_every=every))
        check(SimulatedRun([SimulatedPhase("a", 5, 0.5, checkpoint=12.0), SimulatedPhase("b", 9, 1.0, checkpoint=20.0)],
                           checkpoint_every=every))  # fmt: skip


@pytest.mark.parametrize("every", [2, 3, 100])
def test_evaluations_that_are_rare_are_counted_as_they_come(every):
    phases = [SimulatedPhase("a", 9, 1.0, evaluation=40.0), SimulatedPhase("b", 8, 2.0, evaluation=45.0)]
    check(SimulatedRun(phases, evaluate_every=every))


def test_before_the_first_evaluation_it_says_that_evaluations_are_not_in_it():
    moments, _ = watch(SimulatedRun([SimulatedPhase("only", 4, 1.0, evaluation=30.0)], evaluate_every=2))
    said = [str(moment.estimate) for moment in moments if moment.estimate]
    assert re.fullmatch(r"1 min \d+ s \+ validation left", said[0])
    assert re.fullmatch(r"1 min \d+ s left", next(text for text in said if "validation" not in text))


def test_the_start_of_an_epoch_is_a_time_of_its_own():
    check(SimulatedRun([SimulatedPhase("only", 10, 0.1)], loading=8.0))
    check(SimulatedRun([SimulatedPhase("only", 10, 8.0)], loading=8.0, steps=1))


def test_a_phase_that_may_end_early_is_promised_for_no_longer_than_it_was_planned():
    run = SimulatedRun([SimulatedPhase("a", 50, 1.0, ends_after=5), SimulatedPhase("b", 6, 3.0)])
    moments, ends = watch(run)
    for moment in moments:
        if moment.estimate:
            assert str(moment.estimate).startswith("at most")
        if moment.phase == 1 and moment.epoch > 5 and moment.estimate:  # the epochs left out are no part of it
            assert moment.estimate.seconds == pytest.approx(ends[1] - moment.at, rel=TOLERANCE, abs=2.0)
    assert moments[100].estimate.seconds > ends[0] - moments[100].at


@pytest.mark.parametrize("resumed_at", [47, 60, 133])
def test_a_resumed_run_counts_from_where_it_goes_on(resumed_at: int, tmp_path: Path):
    lines = [
        {"kind": "validation", "phase": "a", "seconds": {"evaluation": 31.0}},
        {"kind": "train", "phase": "a", "seconds": {"step": 0.5}},
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    phases = [SimulatedPhase("a", 5, 0.5, evaluation=30.0), SimulatedPhase("b", 9, 1.0, evaluation=30.0)]
    run = SimulatedRun(phases, resumed_at=resumed_at, folder=tmp_path)
    said = check(run)
    assert all(moment.estimate.phase_only == (moment.phase == 0) for moment in said)
    assert not any("validation" in str(moment.estimate) for moment in said)


def test_a_resumed_run_whose_log_is_gone_says_what_is_missing(tmp_path: Path):
    run = SimulatedRun([SimulatedPhase("a", 5, 0.5)], resumed_at=50, folder=tmp_path)
    moments, _ = watch(run)
    assert "+ validation" in str(next(moment.estimate for moment in moments if moment.estimate))


def test_the_time_left_shrinks_while_nothing_happens():
    run = SimulatedRun([SimulatedPhase("only", 4, 1.0)])
    left = TimeLeft(run.clock)
    for event, _ in zip(run.play(), range(40), strict=False):
        left(event)
    before = left.estimate()
    run.now += 3.0
    after = left.estimate()
    assert before is not None
    assert after is not None
    assert after.seconds == pytest.approx(before.seconds - 3.0)
    run.now += 1e6
    assert left.estimate().seconds == 0.0


def test_nothing_is_said_before_the_second_step():
    run = SimulatedRun([SimulatedPhase("only", 4, 1.0)])
    moments, _ = watch(run)
    assert [moment.estimate is None for moment in moments[:6]] == [True] * 5 + [False]
