"""Checks of the registration of a task and of its settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import torch
from torch import nn

from restore.core.method import Method
from restore.core.seeding import seed_everything
from restore.core.settings import Settings
from restore.core.task import Task
from restore.core.testing.listening import require_help_and_defaults
from restore.core.testing.under_test import RegisteredEntry, TaskUnderTest, require

HEAVY = ("torch", "torchvision", "accelerate", "numpy")
"""Packages that a plugin's module and its settings must not import: ``restore --help`` and completion load both."""


def check_imports(*modules: str) -> None:
    """Check, in a separate process, that a plugin's module and its settings modules import no heavy package.

    Raises ContractBroken that names the packages.
    """
    script = (
        "import sys; from importlib import import_module\n"
        "for name in sys.argv[1:]: import_module(name)\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script, *modules], capture_output=True, text=True)
    last = done.stderr.strip().rpartition("\n")[2]
    require(done.returncode == 0, f"importing {', '.join(modules)} failed: {last}")
    loaded = done.stdout.split()
    require(not loaded, f"importing {', '.join(modules)} also imports {', '.join(loaded)}; move that import")


def the_registered_objects_exist_and_fit(tested: TaskUnderTest) -> None:
    """Every reference resolves to a class of the right kind, and the method's type parameters match them."""
    base = Task if tested.learns else Method
    require(issubclass(tested.method_type, base), f"{tested.method_type!r} is not a subclass of {base.__name__}")
    learns = issubclass(tested.method_type, Task)
    require(learns == tested.learns, f"trains={tested.learns} is registered, but {tested.method_type!r} disagrees")
    own = {
        "settings": tested.method_type.settings_type,
        "predict": tested.method_type.predict_options_type,
        "evaluate": tested.method_type.evaluate_options_type,
    }
    for detail, named in own.items():
        if detail in tested.entry.references:
            found = tested.entry.locate(detail)
            require(found is named, f"{detail}= is {found!r}, but the type parameter of the class is {named!r}")
        else:
            require(named is Settings, f"the type parameter is {named!r}, but {detail}= is not registered")
    if "imports" in tested.entry.references:
        for name, converter in tested.entry.locate("imports").items():
            require(callable(getattr(converter, "convert", None)), f"imports=: converter {name!r} has no convert()")


def every_setting_has_help_and_a_default(tested: TaskUnderTest) -> None:
    """Every setting has a help text, and a default, so that the task runs without flags."""
    check_settings(tested.entry)


def check_settings(entry: RegisteredEntry) -> None:
    """Check that every setting of something registered has a help text and a default. Raises ContractBroken."""
    for detail in ("settings", "predict", "evaluate"):
        if detail not in entry.references:
            continue
        model = entry.locate(detail)
        good = isinstance(model, type) and issubclass(model, Settings)
        require(good, f"{detail}= refers to {model!r}, not to a subclass of Settings")
        require_help_and_defaults(model, detail)


def settings_survive_being_written(tested: TaskUnderTest) -> None:
    """Settings survive a round trip through JSON, and resolving them twice changes nothing."""
    settings: Settings = tested.settings if tested.learns else tested.method_type.settings_type().resolved()
    require(
        type(settings).model_validate(settings.model_dump(mode="json")) == settings,
        "the settings change in a round trip through JSON",
    )
    require(settings.resolved() == settings, "resolved() changes settings that are resolved already")


def settings_alone_rebuild_the_task(tested: TaskUnderTest) -> None:
    """Equal settings and seeds make equal networks, including discriminators."""
    if not tested.learns:
        return
    first, second = _train(tested), _train(tested)
    require(list(first) == list(second), "networks() returns other names or another order the second time")
    for name, network in first.items():
        _require_equal_states(name, network, second[name])


def _train(tested: TaskUnderTest) -> dict[str, nn.Module]:
    seed_everything(tested.settings.seed)
    task = tested.task()
    return {**task.networks(), **task.training_networks()}


def _require_equal_states(name: str, first: nn.Module, second: nn.Module) -> None:
    one, other = first.state_dict(), second.state_dict()
    require(list(one) == list(other), f"{name}: has other parameters the second time")
    for key, tensor in one.items():
        require(torch.equal(tensor, other[key]), f"{name}.{key} draws random numbers that the seed does not cover")


def networks_and_phases_belong_together(tested: TaskUnderTest) -> None:
    """Phases train existing networks and monitor measured metrics; names are unique."""
    if not tested.learns:
        return
    task, trained = tested.task(), _train(tested)
    phases, metrics = task.phases(), task.training_protocol
    require(phases, "phases() is empty: nothing would be trained")
    require(task.networks(), "networks() is empty: nothing could predict")
    require(len({phase.name for phase in phases}) == len(phases), "two phases have the same name")
    doubled = set(trained) & set(task.frozen_networks())
    require(not doubled, f"both trained and frozen: {', '.join(doubled)}")
    for phase in phases:
        for optimizer in phase.optimizers:
            for name in phase.networks_of(optimizer):
                require(name in trained, f"phase {phase.name}: {optimizer} trains {name!r}, which does not exist")
        monitored = phase.monitor is None or phase.monitor in metrics
        require(monitored, f"phase {phase.name} monitors {phase.monitor!r}, which is not in training_protocol")


def what_is_main_exists(tested: TaskUnderTest) -> None:
    """The main input and output are declared, and the default protocol is one of the protocols."""
    method = tested.method_type(tested.settings if tested.learns else tested.method_type.settings_type().resolved())
    for what, main, names in (
        ("main_input", method.main_input, method.inputs),
        ("main_output", method.main_output, method.outputs),
        *((("default_protocol", method.default_protocol, method.protocols()),) if method.protocols() else ()),
    ):
        require(main in names, f"{what} is {main!r}, which is not one of {', '.join(names)}")


CHECKS: tuple[Callable[[TaskUnderTest], None], ...] = (
    the_registered_objects_exist_and_fit,
    every_setting_has_help_and_a_default,
    settings_survive_being_written,
    settings_alone_rebuild_the_task,
    networks_and_phases_belong_together,
    what_is_main_exists,
)
