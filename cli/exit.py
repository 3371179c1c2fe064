"""How a command ends: every error becomes one message on standard error and an exit status."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, runtime_checkable

import typer

from restore.cli.printable import printable
from restore.core.errors import is_out_of_memory
from restore.core.runtime.processes import how_many, is_launched, report_failure
from restore.core.wrong_values import clean_message

SUCCESS, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


@runtime_checkable
class UserError(Protocol):
    """An error whose message is written for the user, with the exit status that it asks for.

    The errors of ``restore.core`` and of ``restore.registry``, which do not know each other, both fit.
    """

    exit_status: int


DEBUG_FLAG = "--debug"
WARNING = "Warning: "

_LESS_MEMORY = (
    "Training: lower --batch-size, or split each batch into more steps with --accumulate 2. Predicting: lower --tile."
)
_ANOTHER_DISK = "\nFree some space, or write to another disk with --out or --output."
_ADVICE = {
    errno.ENOSPC: _ANOTHER_DISK,
    errno.EDQUOT: _ANOTHER_DISK,
    errno.EROFS: "\nChoose a writable folder with --out or --output.",
    errno.EACCES: "\nChoose another folder, or change the permissions.",
}

_debug: ContextVar[bool] = ContextVar("debug", default=False)


def strip_debug_flag(args: list[str]) -> tuple[list[str], bool]:
    """Return the arguments without ``--debug``, which may be anywhere before ``--``, and whether it was given."""
    end = args.index("--") if "--" in args else len(args)
    kept = [argument for argument in args[:end] if argument != DEBUG_FLAG]
    return [*kept, *args[end:]], len(kept) < end


def debug_enabled() -> bool:
    """Whether the running command was given ``--debug``."""
    return _debug.get()


def run_command(run: Callable[[], Any], *, debug: bool = False) -> int:
    """Call ``run`` and return the exit status. Every error becomes a message, with its traceback if ``debug``."""
    before = _debug.set(debug)
    try:
        with _leave_cleanly_on_termination():
            status = run()
        if status == INTERRUPTED:
            raise KeyboardInterrupt  # which Typer turned into this status
        if sys.stdout is not None:  # None if the parent process closed it
            sys.stdout.flush()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else SUCCESS if leaving.code is None else FAILED
    except BrokenPipeError:
        # The reader of standard output has left; without this Python reports the broken pipe again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can report it
        return _report(error)
    finally:
        _debug.reset(before)
    return status if isinstance(status, int) else SUCCESS


@contextmanager
def _leave_cleanly_on_termination() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the command as an exception does, so that no half-written file stays behind.

    Training has handlers of its own meanwhile. A signal that is ignored, as under nohup, stays ignored.
    """
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is _leave:
                signal.signal(number, signal.SIG_DFL)


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
    raise SystemExit(128 + number)


def print_error(message: str, prefix: str = "Error: ") -> None:
    """Print a message on standard error, its prefix in red on a terminal that shows colors."""
    color = False if "NO_COLOR" in os.environ else None
    if prefix:
        typer.secho(prefix, fg="yellow" if prefix == WARNING else "red", bold=True, nl=False, err=True, color=color)
    typer.echo(printable(message), err=True, color=color)


def print_warning(message: str) -> None:
    """Print a warning on standard error."""
    print_error(message, prefix=WARNING)


def _report(error: BaseException) -> int:
    """Print an error, or hand it to the process that started this one; return the exit status."""
    message, status = _explain(error)
    message = "\n".join([message, *getattr(error, "__notes__", [])])
    trace = ""
    if debug_enabled():
        import traceback

        trace = "".join(traceback.format_exception(error))
    if is_launched():
        report_failure(f"{trace}{message}", status)  # several processes: the launcher prints it, once
    else:
        typer.echo(trace, err=True, nl=False)
        print_error(message, prefix="" if status == INTERRUPTED else "Error: ")
    return status


def _explain(error: BaseException) -> tuple[str, int]:
    """Return the message for an error and its exit status."""
    first_line = next((line.strip() for line in str(error).splitlines() if line.strip()), "no further message")
    if isinstance(error, UserError):
        return str(error), error.exit_status
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted.", INTERRUPTED
    if isinstance(error, typer.Abort):
        return "Aborted.", FAILED
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # a wrong command line, found by Typer
        return _usage_message(error), int(error.exit_code)
    if is_out_of_memory(error):
        return f"Out of memory ({first_line}).\n{_LESS_MEMORY}", FAILED
    if how_many() > 1 and _is_lost_connection(error):
        return "Another process of this run failed; its message gives the reason.", FAILED
    if isinstance(error, OSError) and error.errno is not None:
        where = f": {error.filename}" if error.filename is not None else ""
        return f"{error.strerror or type(error).__name__}{where}{_ADVICE.get(error.errno, '')}", FAILED
    hint = "" if debug_enabled() else "\nThis is a bug. Run the same command with --debug to see the traceback."
    return f"{type(error).__name__}: {first_line}{hint}", FAILED


def _usage_message(error: Any) -> str:
    """Return Typer's message with this program's suggestions and the help command to run."""
    message = clean_message(str(error.format_message()))  # Typer lets pydantic check some options
    context = getattr(error, "ctx", None)
    if message.startswith("No such option") and (option := getattr(error, "option_name", None)):
        message = f"No such option: {option}."
        if close := _close_options(option, context) or list(getattr(error, "possibilities", None) or [])[:2]:
            message += f" Did you mean {' or '.join(close)}?"
    return f"{message}\nSee: {context.command_path} --help" if context is not None else message


def _close_options(option: str, context: Any) -> list[str]:
    """Return options of the command with the same ending: ``--generator.lr`` for ``--lr``."""
    parameters = context.command.params if context is not None else []
    flags = [flag for parameter in parameters if parameter.param_type_name == "option" for flag in parameter.opts]
    if len(option) == 2 and option.startswith("-"):  # -o: there are no short flags
        needed = [flag for parameter in parameters if getattr(parameter, "required", False) for flag in parameter.opts]
        return [flag for flag in [*needed, *flags] if flag.startswith(f"--{option[1]}")][:1]
    return [flag for flag in flags if flag.endswith(f".{option.lstrip('-').rpartition('.')[2]}")][:3]


def _is_lost_connection(error: BaseException) -> bool:
    # what gloo and NCCL raise in the processes that wait for one that failed
    lost = ("Connection closed by peer", "Connection reset by peer")
    return type(error).__name__.startswith("Dist") or any(words in str(error) for words in lost)
