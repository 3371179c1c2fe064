"""What the processes of a worker pool do in its tests."""

import os
import signal
import time
from pathlib import Path

from restore.core.atomic import atomic_write
from restore.core.errors import UsageError


def work(channel, words):
    """Do what each task says."""
    if words == "broken":
        raise UsageError("there is nothing to work with")
    if words == "dead":
        os.kill(os.getpid(), signal.SIGKILL)
    for task in channel.tasks():
        if task == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "fail":
            raise ValueError("a bug")
        if isinstance(task, Path):
            with atomic_write(task) as temporary:
                temporary.write_text("half of a file")
                channel.report(os.getpid())
                time.sleep(60)
        channel.report((task, channel.number, os.environ["OMP_NUM_THREADS"], os.environ["OMP_WAIT_POLICY"]))
