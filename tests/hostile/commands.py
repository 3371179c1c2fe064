"""Run a command line in this process, watched: what it said, how long it took, how much memory, what it left."""

from __future__ import annotations

import gc
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TextIO

SECONDS = 60.0
"""Time of the processor that one command may take."""

MEMORY = 2 * 2**30
"""Bytes that may be resident."""

LONGEST = 4000
"""Letters of everything that a failed command says."""

_FOREIGN = re.compile(
    r"This is a bug|Traceback|Out of memory|^(Error: )?\w+Error: |JSONDecodeError|\w+Warning: |site-packages"
    r"|listener .* failed",
    re.MULTILINE,
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass
class Outcome:
    """What became of a command."""

    status: int
    out: str = ""
    err: str = ""
    problems: list[str] = field(default_factory=list)
    """What must not happen and did."""


class TookTooLong(BaseException):
    """The command used more time than it may."""


def _stop(_: int, __: FrameType | None) -> None:
    raise TookTooLong


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Time of the processor, so that a busy machine makes no difference."""
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _captured(descriptor: int, name: str) -> Iterator[TextIO]:
    """Send a file descriptor into a file: libraries in C write there too."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape") as file:
        getattr(sys, name).flush()
        original = os.dup(descriptor)
        os.dup2(file.fileno(), descriptor)
        redirect = redirect_stdout if name == "stdout" else redirect_stderr
        stream = os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace")
        try:
            with redirect(stream):
                yield file
        finally:
            stream.close()
            os.dup2(original, descriptor)
            os.close(original)


def run(arguments: Sequence[str | Path], seconds: float = SECONDS) -> Outcome:
    """Run ``restore`` with arguments and look at how it ended."""
    from restore.cli.app import app

    status, problems = 0, []
    _forget_peak()
    with _captured(1, "stdout") as out, _captured(2, "stderr") as err:
        try:
            with _time_limit(seconds):
                app([str(argument) for argument in arguments], prog_name="restore")
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
        except TookTooLong:
            status, problems = -1, [f"took more than {seconds:.0f} s"]
        except BaseException as error:  # noqa: BLE001 - nothing may come up here
            status, problems = -1, [f"raised {type(error).__name__}: {error}"]
        sys.stdout.flush()
        sys.stderr.flush()
        said = [_read(file) for file in (out, err)]
    peak = _peak()
    if peak > MEMORY:
        problems.append(f"took {peak / 2**30:.1f} GiB")
    gc.collect()
    return Outcome(status, *said, [*problems, *_wrong(status, said[1])])


def _read(file: TextIO) -> str:
    file.seek(0)
    return file.read()


def _wrong(status: int, err: str) -> Iterator[str]:
    """Yield what is wrong with the messages of a command."""
    if status not in (0, 1, 2, -1):
        yield f"has the exit status {status}"
    if found := _FOREIGN.search(err):
        yield f"says {found[0]!r}"
    if found := _CONTROL.search(err):
        yield f"shows the control character {found[0]!r}"
    if len(err) > LONGEST:
        yield f"says {len(err)} letters"
    if status == 0 and any(line.startswith("Error: ") for line in err.splitlines()):
        yield "reports an error and ends with 0"
    if status in (1, 2) and "Error: " not in err:
        yield "fails without a message"


def leftovers(folder: Path) -> list[str]:
    """Return the names of half-written files."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.endswith(".part")]


def limit_memory() -> None:
    """Let allocations fail in this process that ask for several times `MEMORY` at once.

    Address space is limited, of which mapped files and the stacks of threads take a lot; what is resident is measured.
    """
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * resource.getpagesize() + 4 * MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:  # another system, or no right to
        return


def _peak() -> int:
    """Return the most bytes that were resident since `_forget_peak`; 0 where that is unknown."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def check_in(place: Path, check: Callable[[Path], list[str]]) -> list[str]:
    """Return what a check finds wrong in an empty folder, with the folder's name; it stays only if there is any."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    found = check(place)
    if not found:
        shutil.rmtree(place)
    return [f"{place}: {problem}" for problem in found]
