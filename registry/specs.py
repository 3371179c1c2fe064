"""What a plugin returns from its hooks: a frozen specification of each thing that it provides.

A specification names an object by ``"module:attribute"`` and imports nothing; the object is imported when it is used. A
constructor checks its arguments and raises :class:`InvalidSpec`. Settings are references to subclasses of
:class:`restore.core.Settings` in modules that do not import torch; their fields become flags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from typing_extensions import override

from restore.registry.kinds import SINGULAR, Kind
from restore.registry.naming import check_name, check_reference, did_you_mean, one_line
from restore.registry.roles import ROLES, ArchitectureRole, DatasetRole, LossRole, MetricRole


class InvalidSpec(ValueError):
    """A specification with an argument that is not allowed; the message names the specification and the argument."""


@dataclass(frozen=True)
class Spec:
    """What all specifications have in common. Raises :class:`InvalidSpec`."""

    name: str
    """Name within the plugin: ``msrresnet``."""
    reference: str
    """The object, as ``module:attribute``."""
    summary: str = field(default="", kw_only=True)
    """One sentence for the lists and the help."""

    kind: ClassVar[Kind]
    optional_references: ClassVar[tuple[str, ...]] = ("settings",)
    """Fields that refer to something else, and that may be None."""
    required_references: ClassVar[tuple[str, ...]] = ()
    """Fields that must refer to something else."""

    def __post_init__(self) -> None:
        """Check every argument."""
        if type(self) is Spec:
            raise TypeError("use one of its subclasses, such as TaskSpec")
        error = check_name(self.kind, self.name)
        if error:
            raise InvalidSpec(f"{SINGULAR[self.kind]}: {error}")
        for argument, error in self._find_errors():
            if error:
                raise InvalidSpec(f"{SINGULAR[self.kind]} {self.name!r}: {argument}: {error}")
        object.__setattr__(self, "summary", one_line(self.summary))

    @property
    def references(self) -> dict[str, str]:
        """What it refers to besides the object itself: fields and their ``module:attribute``."""
        named = {name: getattr(self, name) for name in (*self.required_references, *self.optional_references)}
        return {name: reference for name, reference in named.items() if reference is not None}

    def _find_errors(self) -> Iterator[tuple[str, str]]:
        """Yield arguments, each with what is wrong with it, or with an empty string."""
        yield "reference", check_reference(self.reference)
        yield "summary", _check_type(self.summary, str, "a string")
        for name in self.required_references:
            yield name, check_reference(getattr(self, name))
        for name in self.optional_references:
            yield name, "" if getattr(self, name) is None else check_reference(getattr(self, name))


@dataclass(frozen=True)
class TaskSpec(Spec):
    """A task, which ``restore train`` accepts by name: lower-case words joined by hyphens.

    The object is a class that is built as ``Task(settings)``.
    """

    kind = "tasks"
    required_references = ("settings",)
    optional_references = ("predict", "evaluate", "imports")

    settings: str = field(kw_only=True)
    """The settings class of its runs, a subclass of ``RunSettings`` from which the task is rebuilt."""
    predict: str | None = field(default=None, kw_only=True)
    """The settings class whose fields become flags of ``restore predict``."""
    evaluate: str | None = field(default=None, kw_only=True)
    """The settings class whose fields become flags of ``restore evaluate``."""
    imports: str | None = field(default=None, kw_only=True)
    """A mapping of converters of checkpoints that ``restore import`` converts."""
    trains: bool = field(default=True, kw_only=True)
    """False for a classical method, which has nothing to train and is used by its name."""

    @override
    def _find_errors(self) -> Iterator[tuple[str, str]]:
        yield from super()._find_errors()
        yield "trains", _check_type(self.trains, bool, "True or False")


@dataclass(frozen=True)
class _SpecWithRole(Spec):
    """A specification with a role, and with settings if it has any."""

    settings: str | None = field(default=None, kw_only=True)
    """The settings class whose fields the object is built with; None if it has no settings."""

    @override
    def _find_errors(self) -> Iterator[tuple[str, str]]:
        yield from super()._find_errors()
        role, known = getattr(self, "role", None), ROLES[self.kind]
        error = "" if isinstance(role, str) and role in known else f"{role!r} is no role of {self.kind}"
        yield "role", error and error + (did_you_mean(str(role), known) or f"; there are {', '.join(known)}")


@dataclass(frozen=True)
class ArchitectureSpec(_SpecWithRole):
    """A network. The object is a factory of ``torch.nn.Module``."""

    kind = "architectures"

    role: ArchitectureRole = field(kw_only=True)
    """What tasks can use it for; :data:`restore.registry.roles.ARCHITECTURE_ROLES` has the contracts."""


@dataclass(frozen=True)
class DatasetSpec(_SpecWithRole):
    """Data. The object is a factory of datasets."""

    kind = "datasets"

    role: DatasetRole = field(kw_only=True)
    """What its samples are; :data:`restore.registry.roles.DATASET_ROLES` has the contracts."""


@dataclass(frozen=True)
class LossSpec(_SpecWithRole):
    """A loss. The object is a factory of losses."""

    kind = "losses"

    role: LossRole = field(kw_only=True)
    """What it compares; :data:`restore.registry.roles.LOSS_ROLES` has the contracts."""


@dataclass(frozen=True)
class MetricSpec(_SpecWithRole):
    """A metric. The object is a factory of metrics."""

    kind = "metrics"

    role: MetricRole = field(kw_only=True)
    """What it compares; :data:`restore.registry.roles.METRIC_ROLES` has the contracts."""
    fetches: bool = field(default=False, kw_only=True)
    """Whether building it may download weights, or needs an optional package that has them: checks do not build it."""

    @override
    def _find_errors(self) -> Iterator[tuple[str, str]]:
        yield from super()._find_errors()
        yield "fetches", _check_type(self.fetches, bool, "True or False")


@dataclass(frozen=True)
class ProtocolSpec(_SpecWithRole):
    """An evaluation protocol: the metrics of somebody's table. The object is a factory of mappings of metrics by key.

    ``restore evaluate --protocol`` accepts its name for every task whose outputs fit its role.
    """

    kind = "protocols"

    role: MetricRole = field(kw_only=True)
    """What its metrics compare; :data:`restore.registry.roles.PROTOCOL_ROLES` has the contracts."""


@dataclass(frozen=True)
class CommandSpec(Spec):
    """A command of the plugin: ``"sample"``, or ``"data align"`` with a group before the name.

    The object is the function to call: with the task, its networks and the settings if the command needs weights, else
    with the settings alone. Names of the tool's own commands are rejected.
    """

    kind = "commands"
    required_references = ("settings",)
    optional_references = ()

    settings: str = field(kw_only=True)
    """The settings class whose fields become flags of the command."""
    needs: Literal["weights", "nothing"] = field(kw_only=True)
    """``"weights"`` if its first argument is a run or a weights file, otherwise ``"nothing"``."""
    weights_of: tuple[str, ...] = field(default=(), kw_only=True)
    """The tasks of the plugin whose weights it takes; empty: all of them, and of any task if the plugin has none."""

    @override
    def _find_errors(self) -> Iterator[tuple[str, str]]:
        yield from super()._find_errors()
        known = self.needs in ("weights", "nothing")
        yield "needs", "" if known else f"{self.needs!r} is not 'weights' or 'nothing'"
        yield "weights_of", _check_type(self.weights_of, tuple, "a tuple of names")
        for task in self.weights_of:
            yield "weights_of", check_name("tasks", task)
        yield "weights_of", "the command needs no weights" if self.weights_of and self.needs != "weights" else ""


@dataclass(frozen=True)
class ListenerSpec(Spec):
    """A listener of runs, which ``restore train --listener`` accepts by name. No run has one that it does not name.

    The object is a class or a factory. It is called once for each run, on the main process only, before the run folder
    exists: with the settings if there are any, else with nothing. It returns a callable that takes each event of
    :mod:`restore.core.events`.
    """

    kind = "listeners"

    settings: str | None = field(default=None, kw_only=True)
    """The settings class whose fields become flags, as ``--listener.NAME.FIELD``; None if it has no settings."""


@dataclass(frozen=True)
class ConverterSpec(Spec):
    """A converter of checkpoints of other projects, which finds out itself which task they are for.

    The object is called with a :class:`restore.core.CheckpointState` and returns a :class:`restore.core.Conversion`, or
    raises :class:`restore.core.WeightsError` if the checkpoint is of something else. ``restore import``, ``predict``
    and ``evaluate`` ask the converters of the tasks first (``TaskSpec.imports``), then these.
    """

    kind = "converters"
    optional_references = ()

    fallback: bool = field(default=False, kw_only=True)
    """Whether it is asked after all others: for one that knows many architectures, some of which others know better."""

    @override
    def _find_errors(self) -> Iterator[tuple[str, str]]:
        yield from super()._find_errors()
        yield "fallback", _check_type(self.fallback, bool, "True or False")


@dataclass(frozen=True)
class WeightsSpec(Spec):
    """Trained weights that a plugin ships: ``restore predict NAME photo.jpg`` and ``evaluate`` accept their name.

    The object is the :class:`~pathlib.Path` of a weights file inside the package, in a module that does not import
    torch. The file's header has a card, which says what the weights are for and what they were trained on.
    """

    kind = "weights"
    optional_references = ()


@dataclass(frozen=True)
class RecipeSpec(Spec):
    """Settings of a run that a plugin publishes: ``restore train TASK --config NAME`` accepts their name.

    The object is the :class:`~pathlib.Path` of a YAML or TOML file inside a package, in a module that does not import
    torch.
    """

    kind = "recipes"
    optional_references = ()

    task: str = field(kw_only=True)
    """Full name of the task that it is for: ``srgan/srgan``."""

    @override
    def _find_errors(self) -> Iterator[tuple[str, str]]:
        yield from super()._find_errors()
        yield "task", _check_type(self.task, str, "a string")
        plugin, _, task = str(self.task).partition("/")
        full = bool(plugin) and not check_name("tasks", task)
        yield "task", "" if full else f"{self.task!r} is not the full name of a task, as 'srgan/srgan'"


def _check_type(value: object, wanted: type, name: str) -> str:
    """Return what is wrong with the type of a value; empty if nothing is."""
    return "" if isinstance(value, wanted) else f"must be {name}, not {value!r}"


SPECS: Final[Mapping[Kind, type[Spec]]] = {
    spec.kind: spec
    for spec in (
        *(TaskSpec, ArchitectureSpec, DatasetSpec, LossSpec, MetricSpec, ProtocolSpec, CommandSpec, ListenerSpec),
        ConverterSpec,
        WeightsSpec,
        RecipeSpec,
    )
}
"""The specification that the hook of each kind returns a list of."""
