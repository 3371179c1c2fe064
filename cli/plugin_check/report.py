"""Run the checks of a plugin one after another and keep what they said."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from restore.cli.plugin_check.checks import Check
from restore.core.errors import RestoreError
from restore.registry.capture_output import capture_output
from restore.registry.naming import one_line
from restore.registry.references import describe_error

State = Literal["PASS", "FAIL", "SKIP"]
_LONGEST = 400


@dataclass(frozen=True)
class Result:
    """What a check said."""

    name: str
    state: State
    reason: str
    """Why it failed or was skipped, on one line."""
    seconds: float


def run_checks(checks: Iterable[Check]) -> Iterator[Result]:
    """Yield the result of each check. An error of the plugin, whatever it is, is a failed check."""
    known: list[BaseException] = []
    for check in checks:
        began = time.perf_counter()
        state, reason = _run(check, known)
        yield Result(check.name, state, reason, time.perf_counter() - began)


def _run(check: Check, known: list[BaseException]) -> tuple[State, str]:
    """Run one check; ``known`` collects the errors, since several checks may share the error of one run."""
    from restore.core.testing import ContractBroken, NotApplicable

    try:
        with capture_output(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check.run()
    except NotApplicable as error:
        return "SKIP", one_line(str(error), _LONGEST)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, SystemExit too
        if any(error is other for other in known):
            return "SKIP", "the run that it needs failed, see above"
        known.append(error)
        worded = isinstance(error, ContractBroken | RestoreError)  # for people, so its type says nothing more
        said = one_line(str(error), _LONGEST) if worded else describe_error(error)
        return "FAIL", said
    return "PASS", ""
