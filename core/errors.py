"""Errors that a user can see, each with its exit status."""

from __future__ import annotations

from pathlib import Path


class RestoreError(Exception):
    """Base of every expected error.

    The message says what is wrong, where, and what to do. The command line shows it unchanged, without a traceback.
    """

    exit_status = 1


class UsageError(RestoreError):
    """The request is invalid: a file is missing or settings are incompatible."""

    exit_status = 2


class DataError(RestoreError):
    """A data file is damaged, or has the wrong type or size."""


class WeightsError(RestoreError):
    """A weights file is damaged, unsafe, or made for another task."""


class NotExportable(RestoreError):
    """What a method computes cannot be written as a graph of operations."""


class CheckpointError(RestoreError):
    """A run has no readable checkpoint."""


class ResumeError(UsageError):
    """A resumed run was given settings or data of another run."""


class NothingToTrain(UsageError):
    """The method is classical and has no weights to train."""

    def __init__(self, name: str) -> None:
        short = name.rpartition("/")[2]
        super().__init__(
            f"{short} is a classical method (nothing to train). Apply it with: "
            f"restore predict {short} photo.jpg --output out/"
        )


class TrainingDiverged(RestoreError):
    """Too many steps in a row had no finite loss or gradient."""


class Interrupted(RestoreError):
    """The run was stopped by Ctrl-C or SIGTERM and saved a checkpoint."""

    exit_status = 130

    def __init__(self, message: str, folder: Path) -> None:
        super().__init__(message)
        self.folder = folder
        """The run folder; resume the run from it."""


class ProcessFailed(RestoreError):
    """One of several processes of a run failed. The message and exit status are those of that process."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of Python or torch means that memory ran out. Imports no torch.

    The function recognizes torch's class by its name. On the CPU torch raises a plain RuntimeError, so the message
    decides.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("out of memory", "not enough memory", "can't allocate memory", "ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
