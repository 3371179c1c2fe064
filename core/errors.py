"""What can go wrong for a person, each with the exit status it deserves."""

from __future__ import annotations

from pathlib import Path


class RestoreError(Exception):
    """Something failed. The message says what, where and what to do; it is shown as it is, without a traceback."""

    exit_status = 1


class UsageError(RestoreError):
    """What was asked for cannot be meant: a missing file, an impossible combination of settings."""

    exit_status = 2


class DataError(RestoreError):
    """A file of the data is damaged, of the wrong kind or of the wrong size."""


class WeightsError(RestoreError):
    """A weights file is damaged, unsafe, or not for this task."""


class CheckpointError(RestoreError):
    """A run has no checkpoint that can be read."""


class ResumeError(UsageError):
    """A resumed run was asked to be another run."""


class NothingToTrain(UsageError):
    """The method is a classical one: there is nothing to train."""

    def __init__(self, name: str) -> None:
        short = name.rpartition("/")[2]
        super().__init__(
            f"{short} is a classical method (nothing to train). Apply it with: "
            f"restore predict {short} photo.jpg --output out/"
        )


class TrainingDiverged(RestoreError):
    """Too many steps in a row had no finite loss or gradient."""


class Interrupted(RestoreError):
    """The run was told to stop (Ctrl-C, SIGTERM) and has saved a checkpoint."""

    exit_status = 130

    def __init__(self, message: str, folder: Path) -> None:
        super().__init__(message)
        self.folder = folder
        """The run folder, from which the run can be resumed."""


class ProcessFailed(RestoreError):
    """One of several processes of a run failed; the message and the exit status are its own."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python or torch says that memory ran out. Imports no torch.

    torch's class is recognized by its name. On the CPU torch raises a plain RuntimeError, so the message decides.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("out of memory", "not enough memory", "can't allocate memory", "ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
