"""What a run is a function of: settings that every family shares. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from typing_extensions import override


@dataclass(frozen=True)
class ResumeSafe:
    """Marks a field that a resumed run may change without becoming another run."""


@dataclass(frozen=True)
class Flag:
    """Gives a field a short command-line name besides its dotted one, as ``--scale`` for ``--model.scale``."""

    name: str


@dataclass(frozen=True)
class RegisteredName:
    """Marks a setting that holds the name of something that plugins register, as ``unet/unet``.

    ``restore train`` looks the name up before it makes anything, and a run records which plugins it needs.
    """

    kind: str
    """What it is one of: ``architectures``, ``losses``, ``datasets`` or ``metrics``."""
    role: str | None = None
    """The role that it must be registered for; None: any."""


@dataclass(frozen=True)
class Positional:
    """Marks a setting of a plugin's command that is typed without a flag: ``restore interpolate RUN A B``."""

    shown: str
    """What help and errors call it, as ``A B``."""


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One tree of values over another, branch by branch."""
    result = dict(below)
    for key, value in above.items():
        lower = result.get(key)
        result[key] = overlay(lower, value) if isinstance(value, Mapping) and isinstance(lower, Mapping) else value
    return result


class Settings(BaseModel):
    """Base of every settings class: frozen, unknown keys refused, attribute docstrings become help texts."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=(), validate_default=True
    )

    @model_validator(mode="before")
    @classmethod
    def _lay_over_defaults(cls, values: Any) -> Any:
        """Let part of a group change that part alone: the rest is the group's default here, not that of its class."""
        if not isinstance(values, Mapping):
            return values
        laid = dict(values)
        for name, value in values.items():
            default = cls.model_fields[name].default if name in cls.model_fields else None
            if isinstance(value, Mapping) and isinstance(default, Settings):
                laid[name] = overlay(default.model_dump(exclude_defaults=True), value)
        return laid

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and info.field_name is not None:  # which Python takes for 0 or 1
            kinds = set(_kinds(cls.model_fields[info.field_name].annotation))
            if bool not in kinds and kinds & {int, float}:
                raise ValueError(f"input should be a {'whole ' if float not in kinds else ''}number")
        return value

    def resolved(self) -> Self:
        """Return a copy in which everything that depends on the data or on this machine is filled in.

        The engine calls it once before a method is built, and never when a run is resumed. A family overrides it, to
        count classes or to fix which feature network it uses, and begins with ``super().resolved()``.
        """
        return self

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Let a field that a subclass redeclares, to give it another default, keep its help, its bounds and marks."""
        added = False
        for name, info in cls.model_fields.items():
            for base in cls.__mro__[1:]:
                above = getattr(base, "model_fields", {}).get(name)
                if above is None or name not in cls.__annotations__:
                    continue
                info.description = info.description or above.description
                missing = [mark for mark in above.metadata if type(mark) not in map(type, info.metadata)]
                info.metadata.extend(missing)
                added = added or bool(missing)
        if added:
            cls.model_rebuild(force=True)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that a field's annotation is made of, but for what is inside collections."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        for part in get_args(annotation):
            yield from _kinds(part)
    else:
        yield annotation


class ScheduleSettings(Settings):
    """How the learning rate moves within one phase."""

    name: Literal["constant", "linear", "cosine", "one-cycle", "multi-step", "plateau"] = "constant"
    """Shape of the schedule."""
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the phase in which the rate rises linearly from zero (one-cycle: the rising share)."""
    final: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Rate at the end of linear, cosine and one-cycle, as a fraction of lr."""
    milestones: list[Annotated[float, Field(ge=0, le=1)]] = [0.5, 0.75]
    """multi-step: shares of the phase at which the rate is multiplied by gamma."""
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.5
    """multi-step and plateau: factor of one decrease."""
    patience: Annotated[int, Field(ge=0)] = 5
    """plateau: evaluations without improvement before a decrease."""
    per: Literal["step", "epoch"] = "step"
    """How often the rate is set anew; plateau always waits for an evaluation."""


class OptimizerSettings(Settings):
    """One optimizer with its schedule and clipping."""

    name: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    """Which optimizer."""
    lr: Annotated[float, Field(gt=0)] = 1e-4
    """Highest learning rate."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    """adam, adamw: decay of the two running averages (rmsprop uses the second)."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """sgd, rmsprop: momentum."""
    nesterov: bool = False
    """sgd: Nesterov momentum."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Weight decay."""
    lr_factors: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Parameters with another learning rate: factors of lr by name, as {"generator.upsample.*": 0.1}; * stands for
    anything, and the first name that fits counts."""
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    """Clip the gradient of this optimizer to this norm."""
    schedule: ScheduleSettings = ScheduleSettings()
    """Learning-rate schedule."""

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.name == "sgd" and self.nesterov and not self.momentum:
            raise ValueError("nesterov looks ahead by the momentum, which is 0")
        return self


class EarlyStoppingSettings(Settings):
    """End a phase when its monitored metric has stopped improving."""

    patience: Annotated[int, Field(ge=1)] | None = None
    """Evaluations without improvement after which the phase ends; unset: never."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """What counts as an improvement, in the metric's unit."""


class RunSettings(Settings):
    """Settings of any training run; a family's settings inherit them and add a ``model`` and its own."""

    sample_steps: ClassVar[int | None] = None
    """Steps of an epoch on the family's embedded sample where nobody asks for another length; none: as of any data."""

    data: Path | None = None
    """Folder of training data; unset: the family's embedded sample."""
    val_data: Path | None = None
    """Folder of validation data; unset: a seeded share of the training data."""
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the data held out for validation where no --val-data is given (at least one image)."""
    out: Path = Path("runs")
    """Folder in which the run folder is made."""
    name: str | None = None
    """Name of the run folder; unset: the task's name and the time."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 20
    """Epochs in all, over every phase."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Samples of one optimizer step, over all processes and micro-batches."""
    accumulate: Annotated[int, Field(ge=1)] = 1
    """Micro-batches that one optimizer step is cut into, to save memory."""
    init_from: Path | None = None
    """Trained weights to begin with: a weights file, a run (its best), or a checkpoint, which has discriminators
    too."""
    init_filter: tuple[str, ...] = ()
    """init-from: take only tensors of these names, as 'generator.body.*'; * stands for anything."""
    init_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """init-from: the hash that the file must have; a run writes it into its config."""
    samples_per_epoch: Annotated[int, Field(ge=1)] | None = None
    """Samples of an epoch; unset: the number of images, but at least about 50 batches."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of everything that is random."""
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], ResumeSafe()] = "auto"
    """Where to compute."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of training; auto: bf16 where the hardware has instructions for it (CUDA since Ampere, processors with
    amx_bf16 or avx512_bf16), else fp32, in which torch lets convolutions round to TF32 on CUDA. Evaluation is always
    full fp32."""
    compile: bool = False
    """Compile the networks that train (torch.compile): minutes slower to start; on a CPU hardly faster
    afterwards (SRResNet: 1 to 2 %), on a GPU worth a try."""
    deterministic: bool = False
    """Use only deterministic kernels, so that a resumed run is exact on a GPU too."""
    workers: Annotated[Annotated[int, Field(ge=0)] | None, ResumeSafe()] = None
    """Processes that load data; unset: up to 4, but none for images kept in memory where no CUDA device trains. Never
    changes the result."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of an exponential moving average of the weights, used for evaluation and export; unset: no averaging."""
    evaluate_every: Annotated[int, Field(ge=1), ResumeSafe()] = 1
    """Epochs between evaluations (the last epoch of a phase is always evaluated)."""
    log_every: Annotated[int, Field(ge=1), ResumeSafe()] = 10
    """Optimizer steps that one line of the log averages over."""
    sample_images: Annotated[int, Field(ge=0), ResumeSafe()] = 4
    """Validation images shown in samples/ after each evaluation."""
    checkpoint_every: Annotated[str, Field(pattern=r"^[1-9]\d*(e|s|m|h)?$"), ResumeSafe()] = "1e"
    """How often a checkpoint is saved: 500 (steps), 2e (epochs), 10m, 30s, 1h."""
    checkpoint_keep: Annotated[int, Field(ge=1), ResumeSafe()] = 2
    """How many of the newest checkpoints are kept."""
    early_stopping: Annotated[EarlyStoppingSettings, ResumeSafe()] = EarlyStoppingSettings()
    """When a phase ends before its epochs are done."""
    max_skipped: Annotated[int, Field(ge=1), ResumeSafe()] = 20
    """Steps in a row without a finite loss and gradient after which the run stops."""
    model: Settings = Settings()
    """What rebuilds the networks; weights files hold it, and nothing else of the settings."""

    @classmethod
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG003 - for subclasses
        """Defaults of a run on the embedded sample, as a tree, where they differ from those of a run on ``data``.

        ``given`` is the tree of what was set explicitly, by a person or a file. The defaults are laid below it, so it
        always wins. A family overrides this where its sample is to be learned in minutes on a small machine.
        """
        return {}

    @property
    def recipe(self) -> str | None:
        """One line, said when the run starts, about defaults that a person would not expect; None: nothing to say."""
        return None

    @model_validator(mode="before")
    @classmethod
    def _lay_over_sample_defaults(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or values.get("data") is not None:
            return values
        return overlay(cls.sample_defaults(values), values)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size ({self.batch_size}) is not a multiple of accumulate ({self.accumulate}); "
                "a step is cut into equal micro-batches"
            )
        if self.init_from is None and (self.init_filter or self.init_sha256):
            raise ValueError("init_filter and init_sha256 are about the weights of init_from, which is not given")
        return self

    @override
    def resolved(self) -> Self:
        if self.sample_steps is None or self.data is not None or self.samples_per_epoch is not None:
            return self
        return self.model_copy(update={"samples_per_epoch": self.sample_steps * self.batch_size})


S = TypeVar("S", bound=Settings)


def with_absolute_paths(settings: S) -> S:
    """A copy whose paths are absolute, ``out`` aside: what is read must be found again from any working directory."""
    changed: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Path) and name != "out":
            changed[name] = value.absolute()
        elif isinstance(value, Settings):
            changed[name] = with_absolute_paths(value)
    return settings.model_copy(update=changed)


def registered_names(
    settings: Settings, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], RegisteredName, str]]:
    """Every setting that holds a registered name: its path, its mark and the name."""
    for field, info in type(settings).model_fields.items():
        value = getattr(settings, field)
        if isinstance(value, Settings):
            yield from registered_names(value, (*prefix, field))
        for mark in info.metadata:
            if isinstance(mark, RegisteredName) and value is not None:
                yield (*prefix, field), mark, str(value)


def leaves(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Every setting that is not itself a group, with its path: ``(("optimizer", "lr"), FieldInfo)``."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from leaves(info.annotation, (*prefix, name))
        else:
            yield (*prefix, name), info
