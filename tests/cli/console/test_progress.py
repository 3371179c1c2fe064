"""What is seen of a run while it goes on, on a terminal and elsewhere."""

from __future__ import annotations

import io
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from restore.cli.console import show_progress
from restore.cli.console.durations import format_duration
from restore.cli.console.live import LiveProgress
from restore.cli.console.progress import PlainProgress
from restore.cli.console.report import Report
from restore.cli.console.throughput import WARM_UP, WINDOW, Throughput
from restore.core import events
from restore.core.metrics import MetricResult
from restore.core.training.signals import StopSignals

CONVENTION = "Y 8-bit, border 4"
FOLDER = Path("runs/x")


def number(of: str, value: float) -> MetricResult:
    return MetricResult("psnr", CONVENTION, of, value)


def step(
    done: int, *, epoch: int = 0, steps: int = 4, run: int | None = None, seconds: float = 0.5, waited: float = 0.0
):
    run = epoch * steps + done if run is None else run
    return events.StepDone("pretrain", epoch, 2, done, steps, run, 2 * steps, 16, seconds, waited)


def a_run(evaluate_every: int = 1):
    """The events of a run of two epochs."""
    yield events.RunStarted(
        "toy/toy",
        FOLDER,
        [("pretrain", 1), ("adversarial", 1)],
        4,
        64,
        57,
        6,
        {"generator": 12345},
        "cpu",
        "bf16",
        1,
        None,
    )
    yield events.PhaseStarted("pretrain", 0, 2)
    yield events.Evaluated("bicubic", 0, 0, [number("bicubic", 25.0)], best=False)
    for epoch in range(2):
        for done in range(1, 5):
            yield step(done, epoch=epoch)
        yield events.Logged(
            "pretrain", epoch, 4, {"generator/pixel": 0.03125, "generator/gradient": 0.2, "generator/lr": 1e-4}
        )
        yield events.Warned("the discriminator has won [red]")
        if (epoch + 1) % evaluate_every == 0:
            yield events.Evaluated("pretrain", epoch, 4, [number("pretrain", 26.0 + epoch)], best=epoch == 1)
    yield events.PhaseFinished("pretrain", stopped_early=True)
    yield events.RunFinished(
        FOLDER, FOLDER / "best.safetensors", [number("bicubic", 25.0), number("pretrain", 27.0)], 331.0
    )


@pytest.fixture
def plain():
    """Show a run where there is no terminal; what was printed."""

    def show(**options) -> str:
        stream = io.StringIO()
        with show_progress(stream) as listener:
            assert isinstance(listener, PlainProgress)
            for event in a_run(**options):
                listener(event)
        return stream.getvalue()

    return show


def test_plain_output_has_one_line_for_each_epoch(plain):
    epochs = [line for line in plain().splitlines() if line.startswith("epoch ")]
    assert len(epochs) == 2
    assert epochs[0].startswith("epoch 1/2 (pretrain): ")
    assert f"validation psnr ({CONVENTION}) 26.0000" in epochs[0]
    assert "best" not in epochs[0]
    assert epochs[1].endswith("(saved as best)")
    assert "32.0 images/s" in epochs[1]  # 16 samples in half a second
    assert "generator/pixel 0.03125" in epochs[0]
    assert "/lr" not in epochs[0]
    assert "\x1b" not in plain()


def test_an_epoch_without_evaluation_has_its_line_too(plain):
    epochs = [line for line in plain(evaluate_every=2).splitlines() if line.startswith("epoch ")]
    assert [line.partition(" (")[0] for line in epochs] == ["epoch 1/2", "epoch 2/2"]
    assert "validation" not in epochs[0]


def test_the_start_tells_what_is_trained_on_what(plain):
    text = plain()
    assert "Training toy/toy on cpu in bf16" in text
    assert "57 for training, 6 for validation" in text
    assert "1 pretrain + 1 adversarial, each 4 steps (64 samples)" in text
    assert "generator 12,345" in text
    assert "phase pretrain stopped early" in text


def test_the_end_has_every_number_with_its_convention_and_what_to_type(plain):
    end = plain().split("\nvalidation")[-1]
    assert f"psnr ({CONVENTION})" in end
    assert re.search(r"^bicubic +25\.0000$", end, re.M)
    assert re.search(r"^pretrain +27\.0000$", end, re.M)
    assert "Finished after 5 min 31 s." in end
    assert "weights   runs/x/best.safetensors" in end
    assert "restore predict runs/x photo.jpg --output out/" in end


def test_a_warning_is_said_once_and_on_standard_error(plain, capsys):
    plain()
    assert capsys.readouterr().err == "Warning: the discriminator has won [red]\n"


def test_a_resumed_run_says_where_it_goes_on():
    stream = io.StringIO()
    with show_progress(stream) as listener:
        listener(events.RunStarted("toy/toy", FOLDER, [("only", 1)], 4, 64, 5, 1, {}, "cpu", "fp32", 2, 37))
    assert "resumed   after step 37" in stream.getvalue()
    assert "2 processes" in stream.getvalue()


def test_what_the_settings_say_of_themselves_is_one_line_at_the_start():
    stream = io.StringIO()
    with show_progress(stream) as listener:
        event = events.RunStarted("toy/toy", FOLDER, [("only", 1)], 4, 64, 5, 1, {}, "cpu", "fp32", 1, None)
        listener(replace(event, recipe="a small one"))
    assert "\n  recipe    a small one\n" in stream.getvalue()


def live(width: int) -> str:
    """What a terminal of a width is sent."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, height=30, highlight=False)
    with LiveProgress(console) as listener:
        for event in a_run():
            listener(event)
            listener._bar.refresh()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


def test_the_live_line_shows_phase_epoch_step_rate_losses_and_time_left():
    text = live(100)
    lines = text.splitlines()
    place = next(index for index, line in enumerate(lines) if "step 3/4" in line)
    assert "pretrain epoch 1/2" in lines[place]
    assert re.fullmatch(r"  \d+ s \+ validation left in this phase  32\.0 images/s *", lines[place + 1])
    assert "generator/pixel 0.03125" in text
    assert "[red]" in text  # no markup


def test_live_evaluations_form_a_table_with_one_heading():
    lines = [line.rstrip() for line in live(100).splitlines()]
    (head,) = [line for line in lines if line.startswith("epoch  validation")]
    assert head.endswith(f"psnr ({CONVENTION})")
    rows = [line for line in lines if re.match(r" +(-|\d+)  (bicubic|pretrain) ", line)]
    assert [row.split()[:3] for row in rows] == [
        ["-", "bicubic", "25.0000"],
        ["1", "pretrain", "26.0000"],
        ["2", "pretrain", "27.0000"],
    ]
    assert rows[2].endswith("saved as best")
    assert rows[0].index("25.0000") + 7 == len(head)  # under its heading


def test_a_narrow_terminal_cuts_no_number_of_an_evaluation():
    text = live(50).replace("\n", "")
    assert f"psnr ({CONVENTION})" in text
    assert "25.0000" in text


def test_of_many_metrics_the_table_of_evaluations_shows_the_first_few():
    report = Report()
    for count, shown in ((6, 6), (7, 4)):
        numbers = [MetricResult(f"metric-{index}", "RGB", "pretrain", index) for index in range(count)]
        heading, line = report.evaluation(events.Evaluated("pretrain", 0, 1, numbers, best=False))
        assert heading.count("(RGB)") == shown
        assert line.split()[2:] == [f"{index:.4f}" for index in range(shown)]
    assert heading.endswith("(and 3 more in log.csv)")


def test_a_phase_has_its_own_pace():
    throughput = Throughput()
    throughput.begin_phase()
    for done in range(1, 4):
        throughput.step(step(done))
    assert throughput.rate == pytest.approx(32.0)
    throughput.begin_phase()
    assert throughput.rate == 0.0


def test_waiting_for_data_is_told_when_it_matters():
    def advised(count: int, waited: float) -> list[str]:
        throughput = Throughput()
        throughput.begin_phase()
        said = []
        for done in range(1, count + 1):
            throughput.step(step(done % 10 or 10, steps=10, seconds=1.0, waited=waited))
            said.append(throughput.advice())
        return [advice for advice in said if advice]

    assert advised(10 * WINDOW, 0.1) == []
    assert advised(WINDOW, 0.5) == []  # too early to tell
    (advice,) = advised(10 * WINDOW + WARM_UP, 0.5)  # and never again
    assert advice.startswith("training waits for data 50% of the time;")
    assert "--workers" in advice


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (331, "5 min 31 s"), (7500, "2 h 5 min")]
)
def test_times_are_said_as_people_say_them(seconds, text):
    assert format_duration(seconds) == text


class LeftPipe(io.StringIO):
    """What is printed to after the reader has left."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_run_that_nobody_listens_to_any_more_is_interrupted_with_a_checkpoint():
    with StopSignals() as stop:
        PlainProgress(LeftPipe()).print("epoch 1/2")
    assert stop.received == signal.SIGTERM
