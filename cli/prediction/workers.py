"""Apply a model in several processes, each of which takes one image after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from restore.cli.prediction.progress import JobProgress
from restore.core.runtime.worker_pool import Channel, share_tasks

if TYPE_CHECKING:
    from restore.cli.command_line import CommandLine
    from restore.cli.console.bar import Bar
    from restore.cli.model_ref import ModelRef
    from restore.cli.prediction.jobs import Job
    from restore.cli.prediction.output_files import OutputFiles
    from restore.cli.task_options import PredictRequest
    from restore.core.settings import Settings


def predict_in_workers(command: CommandLine, outputs: OutputFiles, count: int, bar: Bar) -> list[Job]:
    """Process the images in several processes; return those that failed.

    Args:
        command: the command line.
        outputs: the files to write, which are checked already.
        count: number of processes.
        bar: shows progress.

    Raises:
        RestoreError: a process could not prepare itself, or died before it began.
    """
    jobs, progress = outputs.jobs, JobProgress(outputs.jobs, bar)
    failed: list[Job] = []

    def receive(index: int, report: tuple[str, Any]) -> None:
        kind, content = report
        if kind == "tiles":
            progress.tile(index, *content)
        elif kind == "ended":
            progress.end(index)
            if not content:
                failed.append(jobs[index])
        else:
            getattr(bar, kind)(content)

    def report_death(index: int, how: str) -> None:
        progress.end(index)
        failed.append(jobs[index])
        bar.error(f"{jobs[index].shown}: the process that worked on it {how}; fewer --workers need less memory")

    arguments = (command, replace(outputs, shared=True))
    share_tasks(command.work, arguments, jobs, count, received=receive, died=report_death)
    return failed


class _RemoteBar:
    """Passes messages on to the parent."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.begun = False
        """Whether there is a task in hand. What is said before, the parent says too."""

    def print(self, line: str) -> None:
        """Print a line of the command's output."""
        self._pass_on("print", line)

    def say(self, line: str) -> None:
        """Print a line about the work."""
        self._pass_on("say", line)

    def warn(self, message: str) -> None:
        """Print a warning."""
        self._pass_on("warn", message)

    def error(self, message: str) -> None:
        """Print an error, and go on."""
        self._pass_on("error", message)

    def _pass_on(self, kind: str, text: str) -> None:
        if self.begun:
            self._channel.report((kind, text))


def serve_predictions(
    channel: Channel, model: ModelRef, options: Settings | None, request: PredictRequest, outputs: OutputFiles
) -> None:
    """Process images that the parent hands out, in a process of its own.

    Args:
        channel: to the parent.
        model: what to apply.
        options: the task's own options.
        request: the options of the command.
        outputs: the files to write.
    """
    from restore.cli.console.log_capture import print_log_warnings
    from restore.cli.prediction.opening import open_prediction
    from restore.core.runtime.devices import device_of_worker

    bar = _RemoteBar(channel)
    device = device_of_worker(request.torch_device, channel.number)
    prediction = open_prediction(model, options, request, outputs, bar, device)
    for job in channel.tasks():
        bar.begun = True
        with print_log_warnings(bar.warn):
            done = prediction.attempt(job, lambda done, total: channel.report(("tiles", (done, total))))
            channel.report(("ended", done))
