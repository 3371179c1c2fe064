"""What is registered about a task, and what its settings promise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import torch
from pydantic_core import PydanticUndefined
from torch import nn

from restore.core.settings import RunSettings, Settings, leaves
from restore.core.task import Task
from restore.core.testing.subject import Subject, require

HEAVY = ("torch", "torchvision", "accelerate", "numpy")
"""What a plugin's module and its settings may not import: ``restore --help`` and completion load both."""


def check_imports(*modules: str) -> None:
    """Check in a process of its own that modules import nothing heavy: the plugin's module and those of its settings.

    Raises ContractBroken naming what they import.
    """
    script = (
        "import sys; from importlib import import_module\n"
        "for name in sys.argv[1:]: import_module(name)\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script, *modules], capture_output=True, text=True)
    require(done.returncode == 0, f"importing {', '.join(modules)} failed:\n{done.stderr}")
    loaded = done.stdout.split()
    require(not loaded, f"importing {', '.join(modules)} also imports {', '.join(loaded)}")


def the_registered_objects_exist_and_fit(subject: Subject) -> None:
    """Every reference resolves to a class of the right kind, and the task names the settings that are registered."""
    require(issubclass(subject.task_type, Task), f"{subject.task_type!r} is no subclass of Task")
    kinds: dict[str, type[Settings]] = {"settings": RunSettings, "predict": Settings, "evaluate": Settings}
    for detail, base in kinds.items():
        if detail in subject.entry.details:
            found = subject.entry.locate(detail)
            require(isinstance(found, type) and issubclass(found, base), f"{detail}= is {found!r}, no {base.__name__}")
    if "imports" in subject.entry.details:
        for name, code_base in subject.entry.locate("imports").items():
            require(callable(getattr(code_base, "convert", None)), f"imports=: {name!r} has no convert")
    registered = subject.entry.locate("settings")
    own = subject.task_type.settings_type
    require(own is registered, f"settings_type is {own.__name__}, but settings= is {registered.__name__}")


def every_setting_has_help_and_a_default(subject: Subject) -> None:
    """A flag without help is no help, and a task must run without any flag."""
    for detail in ("settings", "predict", "evaluate"):
        if detail not in subject.entry.details:
            continue
        for path, info in leaves(subject.entry.locate(detail)):
            flag = f"{detail}: {'.'.join(path)}"
            require(info.description, f"{flag} has no help: write a docstring under it")
            missing = info.default is PydanticUndefined and info.default_factory is None
            require(not missing, f"{flag} has no default")


def settings_survive_being_written(subject: Subject) -> None:
    """Settings are equal to what is read from their JSON, and deciding them twice changes nothing."""
    written = subject.settings.model_dump(mode="json")
    require(subject.task_type.settings_type.model_validate(written) == subject.settings, "not equal after JSON")
    require(subject.settings.decided() == subject.settings, "decided() decides otherwise the second time")


def settings_alone_rebuild_the_task(subject: Subject) -> None:
    """The same settings and seed make the same networks, critics included."""
    first, second = subject.task(), subject.task()
    require(list(first.modules) == list(second.modules), "networks differ in their names or order")
    for name, network in first.modules.items():
        _require_equal_states(name, network, second.modules[name])


def _require_equal_states(name: str, first: nn.Module, second: nn.Module) -> None:
    one, other = first.state_dict(), second.state_dict()
    require(list(one) == list(other), f"{name}: another set of parameters")
    for key, tensor in one.items():
        require(torch.equal(tensor, other[key]), f"{name}.{key} is drawn from a chance that the seed does not cover")


def networks_and_phases_belong_together(subject: Subject) -> None:
    """Phases train networks that exist; what is registered without weights has neither; names stand once."""
    task = subject.task()
    phases = task.phases()
    require(bool(phases) == subject.learns, f"weights={subject.learns} was registered, but it has {len(phases)} phases")
    require(bool(task.exported) == subject.learns, f"weights={subject.learns}, but networks() gives {[*task.exported]}")
    require(len({phase.name for phase in phases}) == len(phases), "two phases have one name")
    doubled = set(task.modules) & set(task.fixed)
    require(not doubled, f"both trained and frozen: {', '.join(doubled)}")
    require(task.protocols() or not subject.learns, "it learns, but protocols() names no way to measure what")
    metrics = next((protocol.metrics for protocol in task.protocols().values()), {})
    for phase in phases:
        for optimizer in phase.optimizers:
            for name in phase.owned_by(optimizer):
                require(name in task.modules, f"phase {phase.name}: {optimizer} trains {name!r}, which does not exist")
        monitored = phase.monitor is None or phase.monitor in metrics
        require(monitored, f"phase {phase.name} monitors {phase.monitor!r}, which the first protocol does not measure")


CHECKS: tuple[Callable[[Subject], None], ...] = (
    the_registered_objects_exist_and_fit,
    every_setting_has_help_and_a_default,
    settings_survive_being_written,
    settings_alone_rebuild_the_task,
    networks_and_phases_belong_together,
)
