"""Plugins written by hand, for tests that need no installation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from restore.registry import Candidate, Project, Registry


class Offer(Protocol):
    """Writes a module and returns the candidate that an installed distribution would offer it as."""

    def __call__(self, name: str, source: str, distribution: str | None = ..., **more: Any) -> Candidate: ...


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Offer]:
    folder = tmp_path / "offered"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    written: list[str] = []

    def write(name: str, source: str, distribution: str | None = "restore-demo", **more: Any) -> Candidate:
        module = f"offered_{len(written)}_{''.join(c if c.isalnum() else '_' for c in name)}"
        (folder / f"{module}.py").write_text(f"from restore.registry import *\n{source}", "utf-8")
        written.append(module)
        return Candidate(**{"value": module, "version": "1.0", **more}, name=name, distribution=distribution)

    yield write
    for module in written:
        sys.modules.pop(module, None)


def hook(kind: str, specs: str) -> str:
    """Source of one hook that returns a list of ``specs``."""
    return f"@hookimpl\ndef restore_{kind}():\n    return [{specs}]\n"


def loss(name: str, reference: str = "math:pi") -> str:
    """Source of the specification of a loss."""
    return f'LossSpec("{name}", "{reference}", role="pixel")'


def task(name: str, more: str = "") -> str:
    """Source of a plugin with one task."""
    return hook("tasks", f'TaskSpec("{name}", "collections:Counter", settings="collections:OrderedDict"{more})')


class Builders:
    """The functions above, for tests that are on no import path."""

    hook = staticmethod(hook)
    loss = staticmethod(loss)
    task = staticmethod(task)

    @staticmethod
    def registry(*candidates: Candidate, version: str = "0.1.0", **project: Any) -> Registry:
        """A registry of these candidates under a project file that says ``project``."""
        return Registry(Project(path=Path("/project/plugins.toml"), **project), candidates, version=version)


@pytest.fixture
def build() -> type[Builders]:
    return Builders
