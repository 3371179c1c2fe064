"""How a command ends: one clear message on standard error and an exit status, whatever happened."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import typer

from restore.core.errors import RestoreError
from restore.core.machine.processes import how_many, launched, report_failure

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_DEBUG = "--debug"
_debugging: ContextVar[bool] = ContextVar("debugging", default=False)


def take_debug(args: list[str]) -> tuple[list[str], bool]:
    """The arguments without ``--debug``, and whether it was among them; it may stand anywhere before ``--``."""
    end = args.index("--") if "--" in args else len(args)
    kept = [argument for argument in args[:end] if argument != _DEBUG]
    return [*kept, *args[end:]], len(kept) < end


def debugging() -> bool:
    """Whether the command that runs was typed with ``--debug``."""
    return _debugging.get()


def outcome(run: Callable[[], Any], *, debug: bool = False) -> int:
    """Call ``run`` and give the exit status; every error becomes a message, with its traceback if ``debug``."""
    before = _debugging.set(debug)
    try:
        return _outcome(run)
    finally:
        _debugging.reset(before)


def _outcome(run: Callable[[], Any]) -> int:
    try:
        status = run()
        if status == INTERRUPTED:
            raise KeyboardInterrupt  # which Typer turned into this status
        if sys.stdout is not None:  # closed by whoever started this
            sys.stdout.flush()
    except SystemExit as leaving:
        return _status_of(leaving)
    except BrokenPipeError:
        _stop_writing()
        return FAILED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can say what went wrong
        message, status = _explained(error)
        message = "\n".join([message, *getattr(error, "__notes__", [])])
        trace = _traceback(error) if debugging() else ""
        if launched():
            report_failure(f"{trace}{message}", status)  # several processes: the launcher says it, once
        else:
            typer.echo(trace, err=True, nl=False)
            complain(message, prefix="" if status == INTERRUPTED else "Error: ")
        return status
    return status if isinstance(status, int) else DONE


def _traceback(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))


def complain(message: str, prefix: str = "Error: ") -> None:
    """Print a message on standard error, its prefix in red on a terminal that shows colours."""
    colour = False if "NO_COLOR" in os.environ else None
    if prefix:
        typer.secho(
            prefix, fg="yellow" if prefix == "Warning: " else "red", bold=True, nl=False, err=True, color=colour
        )
    typer.echo(message, err=True, color=colour)


def _explained(error: BaseException) -> tuple[str, int]:
    """What to tell a person about an error, and the exit status it deserves."""
    if isinstance(error, RestoreError):
        return str(error), error.exit_status
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted.", INTERRUPTED
    if isinstance(error, typer.Abort):
        return "Aborted.", FAILED
    if _is_registry_error(error):
        return str(error), getattr(error, "exit_status", FAILED)
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # a wrong command line, found by Typer
        return _usage_message(error), int(error.exit_code)
    if _is_out_of_memory(error):
        return (
            f"Out of memory ({_first_line(error)}).\n"
            "Training: try a smaller --batch-size, or the same one in more pieces with --accumulate 2. "
            "Predicting: try a smaller --tile.",
            FAILED,
        )
    if how_many() > 1 and _is_lost_connection(error):
        return "Another process of this run has ended; what it says is the reason.", FAILED
    if isinstance(error, OSError) and error.errno is not None:
        return _system_message(error), FAILED
    return _unexpected(error), FAILED


def _is_registry_error(error: BaseException) -> bool:
    # Asked only of the registry if it is loaded at all: an error of its cannot exist otherwise.
    registry = sys.modules.get("restore.registry")
    return registry is not None and isinstance(error, registry.RegistryError)


def _usage_message(error: Any) -> str:
    """Typer's message, with suggestions in this program's words and the help to look at."""
    message = str(error.format_message())
    context = getattr(error, "ctx", None)
    if message.startswith("No such option") and (option := getattr(error, "option_name", None)):
        message = f"There is no option {option}."
        if close := _close_options(option, context) or list(getattr(error, "possibilities", None) or [])[:2]:
            message += f" Did you mean {' or '.join(close)}?"
    return f"{message}\nSee: {context.command_path} --help" if context is not None else message


def _close_options(option: str, context: Any) -> list[str]:
    """Options of the command that end like this one: ``--generator.lr`` for ``--lr``."""
    parameters = context.command.params if context is not None else []
    flags = [flag for parameter in parameters if parameter.param_type_name == "option" for flag in parameter.opts]
    return [flag for flag in flags if flag.endswith(f".{option.lstrip('-').rpartition('.')[2]}")][:3]


def _is_out_of_memory(error: BaseException) -> bool:
    # torch's own class is recognised by name: an error message is no reason to import torch.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )


def _is_lost_connection(error: BaseException) -> bool:
    # what gloo and NCCL raise in the processes that wait for one that failed
    lost = ("Connection closed by peer", "Connection reset by peer")
    return type(error).__name__.startswith("Dist") or any(words in str(error) for words in lost)


def _system_message(error: OSError) -> str:
    where = f": {error.filename}" if error.filename is not None else ""
    advice = {
        errno.ENOSPC: "\nFree some space, or write to another disk with --out or --output.",
        errno.EDQUOT: "\nFree some space, or write to another disk with --out or --output.",
        errno.EROFS: "\nChoose a place that can be written with --out or --output.",
        errno.EACCES: "\nChoose another place, or change the permissions.",
    }
    return f"{error.strerror or type(error).__name__}{where}{advice.get(error.errno or 0, '')}"


def _unexpected(error: BaseException) -> str:
    how = "" if debugging() else "\nThis should not happen. The same command with --debug shows where it came from."
    return f"{type(error).__name__}: {_first_line(error)}{how}"


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no further message")


def _status_of(leaving: SystemExit) -> int:
    if leaving.code is None:
        return DONE
    return leaving.code if isinstance(leaving.code, int) else FAILED


def _stop_writing() -> None:
    """The reader of standard output has left; without this Python complains once more when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
