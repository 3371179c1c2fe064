"""The words of a command, for the processes that share its work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CommandLine:
    """What another process needs to read the options again: their classes are made at run time, so that they cannot be
    pickled."""

    work: Callable[..., None]
    """Called in each process with a `Channel`, this, and what its tasks have in common."""
    names: Sequence[str]
    """The models."""
    arguments: Sequence[str]
    """The words after them."""
    model: int = 0
    """Index of the model that the tasks are about, if they are about one."""
    typed: str = ""
    """The whole command as one line for a shell, to be told beside its results."""
