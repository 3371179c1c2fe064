"""The queue: bounded, in order, canceled when nobody wants the result, forgotten after a while."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from restore.cli.server.jobs import Canceled, JobQueue, Limits, QueueFull, Result, Work
from restore.cli.task_options import PredictRequest
from restore.core.errors import DataError
from restore.core.settings import Settings


def wait_until(condition):
    """Wait for something that another thread does."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


class Slow:
    """A queue whose work takes steps as the test lets it."""

    def __init__(self, folder: Path, **limits):
        self.folder, self.step, self.order = folder, threading.Semaphore(0), []
        self.failure: BaseException | None = None
        self.queue = JobQueue(self.run, lambda error: (str(error), 422), Limits(**limits))

    def run(self, job):
        self.order.append(job.work.name)
        for done in range(1, 4):
            self.step.acquire()
            if self.failure is not None:
                raise self.failure
            self.queue.report(job, done, 3)
        path = job.work.folder / "result.png"
        path.write_bytes(b"x" * 10)
        return [Result(path, "result.png", "", 1, 1, 10)]

    def submit(self, name="a"):
        folder = self.folder / name
        folder.mkdir()
        image = folder / "upload0.png"
        image.write_bytes(b"")
        request = PredictRequest(output=folder)
        model = type("Model", (), {"id": "model"})()
        with self.queue.reserve():
            return self.queue.submit(
                Work(
                    model=model, folder=folder, image=image, name=name, uploads={image: name}, options=Settings(),
                    request=request,
                )
            )  # fmt: skip


@pytest.fixture
def slow(tmp_path):
    made = []

    def make(**limits):
        made.append(Slow(tmp_path, **limits))
        return made[-1]

    yield make
    for each in made:
        each.step.release(100)
        each.queue.close()
    assert not list(tmp_path.iterdir())


def test_jobs_run_one_by_one_in_the_order_of_arrival(slow):
    work = slow()
    jobs = [work.submit(name) for name in "abc"]
    wait_until(lambda: jobs[0].state == "running")
    assert [work.queue.describe(job)["ahead"] for job in jobs] == [0, 1, 2]
    work.step.release(9)
    wait_until(lambda: jobs[2].ended)
    assert work.order == ["a", "b", "c"]
    assert [job.state for job in jobs] == ["done"] * 3


def test_a_full_queue_refuses_and_has_room_again(slow):
    work = slow(waiting=2)
    first = work.submit("a")
    with work.queue.reserve(), pytest.raises(QueueFull, match="2 images are waiting already"), work.queue.reserve():
        pass
    work.submit("b")
    with pytest.raises(QueueFull), work.queue.reserve():
        pass
    work.step.release(3)
    wait_until(lambda: first.ended)
    with work.queue.reserve():
        pass


def test_a_waiting_job_is_canceled_at_once_and_a_running_one_at_its_next_tile(slow):
    work = slow()
    running, waiting = work.submit("a"), work.submit("b")
    wait_until(lambda: running.state == "running")
    work.queue.cancel(waiting)
    assert waiting.state == "canceled"
    assert not waiting.work.folder.exists()
    work.queue.cancel(running)
    assert running.work.folder.exists()
    work.step.release()
    wait_until(lambda: not running.work.folder.exists())
    assert work.order == ["a"]


def test_a_job_that_nobody_watches_is_canceled_and_a_watched_one_goes_on(slow):
    work = slow(patience=0.2)
    watched, left = work.submit("a"), work.submit("b")
    with work.queue.watched(watched):
        wait_until(lambda: left.state == "canceled")
        assert watched.state == "running"
    wait_until(lambda: watched.state == "canceled")
    work.step.release()


def test_results_are_forgotten_when_they_are_old_too_many_or_too_large(slow):
    work = slow(kept=1, kept_bytes=15)
    jobs = [work.submit(name) for name in "ab"]
    work.step.release(6)
    wait_until(lambda: jobs[1].ended)
    wait_until(lambda: jobs[0].id not in work.queue._jobs)  # `find` would make it the newest
    assert not jobs[0].work.folder.exists()
    assert work.queue.find(jobs[1].id) is jobs[1]
    work.queue._limits = Limits(kept_seconds=0.0)
    wait_until(lambda: not jobs[1].work.folder.exists())


def test_a_job_that_fails_ends_nothing_and_leaves_no_file(slow):
    work = slow()
    work.failure = DataError(f"{work.folder}/a/upload0.png: is damaged")
    job = work.submit("a")
    work.step.release()
    wait_until(lambda: job.ended)
    assert (job.state, job.message, job.status) == ("failed", "a: is damaged", 422)
    assert not job.work.folder.exists()
    work.failure = None
    other = work.submit("b")
    work.step.release(3)
    wait_until(lambda: other.ended)
    assert other.state == "done"


def test_closing_cancels_everything(slow):
    work = slow()
    jobs = [work.submit(name) for name in "ab"]
    wait_until(lambda: jobs[0].state == "running")
    closing = threading.Thread(target=work.queue.close)
    closing.start()
    wait_until(lambda: jobs[1].state == "canceled")
    work.step.release()
    closing.join(20)
    assert [job.state for job in jobs] == ["canceled"] * 2
    with pytest.raises(Canceled):
        work.queue.report(jobs[0], 1, 1)
