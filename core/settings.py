"""Settings that every family shares; a run is a function of its settings. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typing_extensions import override


@dataclass(frozen=True)
class ResumeSafe:
    """Marks a field that a resumed run may change."""


@dataclass(frozen=True)
class MayMove(ResumeSafe):
    """Marks a path to data: a resumed run may be given another place of the same data, compared by their content."""


@dataclass(frozen=True)
class Flag:
    """Adds a short command-line name to a field, such as ``--scale`` for ``--model.scale``."""

    name: str


@dataclass(frozen=True)
class RegisteredName:
    """Marks a setting that holds the name of something that plugins register, as ``unet/unet``.

    ``restore train`` looks the name up before it makes anything, and a run records which plugins it needs.
    """

    kind: str
    """What it is one of: ``architectures``, ``losses``, ``datasets``, ``metrics`` or ``listeners``."""
    roles: tuple[str, ...] = ()
    """The roles that it may be registered for; empty: any."""


@dataclass(frozen=True)
class Positional:
    """Marks a positional argument of a plugin's command, such as A and B in ``restore interpolate RUN A B``."""

    shown: str
    """Name of the argument in help and errors, such as ``A B``."""


@dataclass(frozen=True)
class ImagePath:
    """Marks a path to an image that the web page and the HTTP API take as an upload; they take no other path."""

    kind: Literal["image", "mask"] = "image"
    """mask: black and white, of the size of the input image, so that it can be painted onto it."""


@dataclass(frozen=True)
class OrPath:
    """Marks text that is one of some words, or else the path of a file; the HTTP API takes only the words."""

    words: tuple[str, ...]
    """What is no path."""


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two trees of values recursively; values of ``above`` win.

    Of a settings object that lies upon a tree, only the values that were set count.
    """
    result = dict(below)
    for key, value in above.items():
        lower = result.get(key)
        if isinstance(value, BaseModel) and isinstance(lower, Mapping):
            value = {name: getattr(value, name) for name in value.model_fields_set}
        result[key] = overlay(lower, value) if isinstance(value, Mapping) and isinstance(lower, Mapping) else value
    return result


_TREE = TypeAdapter(dict[str, Any])


class Settings(BaseModel):
    """Base of every settings class: frozen, rejects unknown keys, uses attribute docstrings as help texts."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=(), validate_default=True
    )

    @model_validator(mode="before")
    @classmethod
    def _lay_over_defaults(cls, values: Any) -> Any:
        """Merge partial values of a group with this field's default, not with the defaults of the group's class."""
        if not isinstance(values, Mapping):
            return values
        laid = dict(values)
        for name, value in values.items():
            if isinstance(value, Mapping) and name in cls.model_fields:
                default = default_of(cls.model_fields[name])
                if isinstance(default, Settings):
                    laid[name] = overlay(default.values_below(value), value)
        return laid

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and info.field_name is not None:  # pydantic would accept it as 0 or 1
            kinds = set(_kinds(cls.model_fields[info.field_name].annotation))
            if bool not in kinds and kinds & {int, float}:
                raise ValueError(f"should be a {'whole ' if float not in kinds else ''}number")
        return value

    @classmethod
    def specialized(cls, values: Mapping[str, Any]) -> type[Self]:  # noqa: ARG003 - for subclasses
        """Return the class of settings with these values: a subclass if one of them brings further settings along.

        An example is the name of an architecture, which has settings of its own.
        """
        return cls

    def values_below(self, values: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - for subclasses
        """Return the values of this default that still hold when some ``values`` are set."""
        return self.model_dump(exclude_defaults=True)

    @override
    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return a tree of all values, those of specialized groups included; options as in pydantic."""
        return super().model_dump(**{"serialize_as_any": True, **options})

    def resolved(self) -> Self:
        """Return a copy with every value filled in that depends on the data or on this machine.

        The engine calls it once, before it builds a method, and never when it resumes a run. A family overrides it,
        for example to count classes or to choose a feature network, and starts with ``super().resolved()``.
        """
        return self

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Keep help, bounds and marks of a field that a subclass redeclares with another default."""
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


def default_of(info: FieldInfo) -> Any:
    """Return the default of a field, also if a function makes it; ``PydanticUndefined`` if there is none."""
    if getattr(info, "default_factory_takes_validated_data", False):  # pydantic 2.9 has no such factories
        return PydanticUndefined
    return info.get_default(call_default_factory=True)


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield the member types of a field's annotation, except those inside collections."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        for part in get_args(annotation):
            yield from _kinds(part)
    else:
        yield annotation


class EarlyStoppingSettings(Settings):
    """End a phase when its monitored metric stops improving."""

    patience: Annotated[int, Field(ge=1)] | None = None
    """Evaluations without improvement before the phase ends; unset: never."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """Smallest change that counts as an improvement, in the metric's unit."""


class RunSettings(Settings):
    """Settings of any training run; a family's settings inherit them and add ``model`` and their own."""

    sample_steps: ClassVar[int | None] = None
    """Default steps of an epoch on the family's embedded sample; None: the same default as for other data."""

    sample_dataset: ClassVar[str | None] = None
    """Full name of the dataset that is the embedded sample when there is no ``data``; None: runs name no dataset."""

    data: Annotated[Path | None, MayMove()] = None
    """Folder of training data; unset: the family's embedded sample."""
    val_data: Annotated[Path | None, MayMove()] = None
    """Folder of validation data; unset: a random part of the training data, chosen by the seed."""
    val_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Fraction of the training data held out for validation (at least one image); ignored with --val-data."""
    check_data: Annotated[Literal["headers", "full"], ResumeSafe()] = "headers"
    """What is checked before the first step: headers and ends of the image files, or every image, by decoding it."""
    out: Path = Path("runs")
    """Parent folder of the run folder."""
    name: str | None = None
    """Name of the run folder; unset: task name and time."""
    epochs: Annotated[int, Field(ge=1), ResumeSafe()] = 20
    """Total number of epochs over all phases."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Samples per optimizer step, summed over all processes and micro-batches."""
    accumulate: Annotated[int, Field(ge=1)] = 1
    """Micro-batches per optimizer step; more micro-batches need less memory."""
    init_from: Path | None = None
    """Start from trained weights: a weights file, a run (its best weights), or a checkpoint (includes
    discriminators)."""
    init_filter: tuple[str, ...] = ()
    """init-from: load only tensors whose name matches one of these patterns, such as 'generator.body.*'."""
    init_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """init-from: expected SHA-256 of the file; a run writes it into its config."""
    samples_per_epoch: Annotated[int, Field(ge=1)] | None = None
    """Samples per epoch; unset: the number of images, but at least about 50 batches."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of all random numbers."""
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], ResumeSafe()] = "auto"
    """Compute device."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Training precision; auto: bf16 on hardware with bf16 instructions (CUDA since Ampere, CPUs with amx_bf16 or
    avx512_bf16), else fp32. fp32 training allows TF32 convolutions on CUDA. Evaluation always uses full fp32."""
    compile: bool = False
    """Compile the trained networks with torch.compile: starts minutes later; on a CPU hardly faster (SRResNet: 1 to
    2 %), on a GPU worth a try."""
    deterministic: bool = False
    """Use deterministic kernels only; a resumed run is then bit-exact on a GPU too."""
    workers: Annotated[Annotated[int, Field(ge=0)] | None, ResumeSafe()] = None
    """Data-loading processes; unset: up to 4, but 0 for in-memory images without a CUDA device. Does not change the
    result."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of the exponential moving average of the weights; evaluation and export use the average. Unset: off."""
    evaluate_every: Annotated[int, Field(ge=1), ResumeSafe()] = 1
    """Epochs between evaluations (the last epoch of a phase is always evaluated)."""
    log_every: Annotated[int, Field(ge=1), ResumeSafe()] = 10
    """Optimizer steps averaged in one log line."""
    sample_images: Annotated[int, Field(ge=0), ResumeSafe()] = 4
    """Validation images written to samples/ after each evaluation."""
    report: Annotated[bool, ResumeSafe()] = True
    """Write progress.png (curves and newest samples) during the run, and report.html at its end."""
    checkpoint_every: Annotated[str, Field(pattern=r"^[1-9]\d*(e|s|m|h)?$"), ResumeSafe()] = "1e"
    """How often a checkpoint is saved: 500 (steps), 2e (epochs), 10m, 30s, 1h."""
    checkpoint_keep: Annotated[int, Field(ge=1), ResumeSafe()] = 2
    """Number of newest checkpoints to keep."""
    early_stopping: Annotated[EarlyStoppingSettings, ResumeSafe()] = EarlyStoppingSettings()
    """Early stopping."""
    track: Annotated[tuple[str, ...], ResumeSafe()] = ("tensorboard",)
    """Experiment tracker that gets the numbers, settings and samples: tensorboard, or after pip install NAME: wandb,
    mlflow, aim, clearml, comet_ml, dvclive, swanlab, trackio, as far as the installed Accelerate has it."""
    track_project: Annotated[str | None, ResumeSafe()] = None
    """Project or experiment that trackers put the run in; unset: the name of the task."""
    listener: Annotated[tuple[str, ...], RegisteredName("listeners"), ResumeSafe()] = ()
    """Listener of a plugin that is told what happens in the run, by its name: PLUGIN/NAME."""
    listener_settings: Annotated[dict[str, dict[str, Any]], ResumeSafe()] = {}
    """Settings of the listeners by name, as {"PLUGIN/NAME": {"file": "scores.csv"}}; each of them is also a flag, as
    --listener.NAME.file."""
    metric: Annotated[tuple[str, ...], RegisteredName("metrics")] = ()
    """Metric of a plugin to validate with besides those of the task: PLUGIN/NAME, or PLUGIN/NAME,setting=value."""
    monitor: str | None = None
    """Metric that chooses the best weights, of the task or of a plugin (PLUGIN/NAME,setting=value): in the last phase
    and in those that choose by a metric anyway. Unset: the metric of each phase."""
    max_skipped: Annotated[int, Field(ge=1), ResumeSafe()] = 20
    """Stop the run after this many consecutive steps with a non-finite loss or gradient."""
    model: Settings = Settings()
    """Settings that rebuild the networks; weights files store only these."""

    @classmethod
    def sample_defaults(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG003 - for subclasses
        """Return the defaults, as a tree, that differ on the embedded sample from those of a run on ``data``.

        ``given`` is the tree of values set explicitly by the user or a file, those of settings objects included; they
        override these defaults. A family overrides this method so that its sample trains in minutes on a small machine.
        """
        return {}

    @property
    def on_sample(self) -> bool:
        """Whether the run trains on the family's embedded sample: no ``data``, and no other dataset."""
        return self._is_sample(self.data, getattr(self, "dataset", None))

    @classmethod
    def _is_sample(cls, data: Any, dataset: Any) -> bool:
        name = dataset.get("name") if isinstance(dataset, Mapping) else getattr(dataset, "name", None)
        usual = cls.sample_dataset
        return data is None and (name is None or usual is None or name in (usual, usual.rpartition("/")[2]))

    @property
    def recipe(self) -> str | None:
        """One line about unexpected defaults, printed when the run starts; None prints nothing."""
        return None

    @model_validator(mode="before")
    @classmethod
    def _lay_over_sample_defaults(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or not cls._is_sample(values.get("data"), values.get("dataset")):
            return values
        given = _TREE.dump_python(dict(values), exclude_unset=True)  # settings objects become trees
        return overlay(cls.sample_defaults(given), values)

    @field_validator("device", mode="before")
    @classmethod
    def _one_gpu_is_chosen_from_outside(cls, device: object) -> object:
        if isinstance(device, str) and device.startswith("cuda:"):
            number = device.removeprefix("cuda:")
            raise ValueError(f"a run uses the first visible GPU; choose one with CUDA_VISIBLE_DEVICES={number}")
        return device

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size ({self.batch_size}) is not a multiple of accumulate ({self.accumulate}); "
                "micro-batches must have equal size"
            )
        if self.init_from is None and (self.init_filter or self.init_sha256):
            raise ValueError("init_filter and init_sha256 need init_from, which is not set; set it or leave them out")
        return self

    @override
    def resolved(self) -> Self:
        if self.sample_steps is None or not self.on_sample or self.samples_per_epoch is not None:
            return self
        return self.model_copy(update={"samples_per_epoch": self.sample_steps * self.batch_size})


S = TypeVar("S", bound=Settings)


def make_paths_absolute(settings: S) -> S:
    """Return a copy with absolute paths, except ``out``, so that a resumed run finds its data from any directory."""
    changed: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, Path) and name != "out":
            changed[name] = value.absolute()
        elif isinstance(value, Settings):
            changed[name] = make_paths_absolute(value)
    return settings.model_copy(update=changed)


def find_registered_names(
    settings: Settings, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], RegisteredName, str]]:
    """Every setting that holds a registered name: its path, its mark and the name."""
    for field, info in type(settings).model_fields.items():
        value = getattr(settings, field)
        several = value if isinstance(value, (list, tuple)) else [value]
        for place, one in enumerate(several):
            if isinstance(one, Settings):
                path = (*prefix, field) if one is value else (*prefix, field, str(place))
                yield from find_registered_names(one, path)
        for mark in info.metadata:
            if isinstance(mark, RegisteredName):
                yield from (((*prefix, field), mark, str(name)) for name in several if name is not None)


def leaves(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Yield every setting that is not a group, with its path: ``(("optimizer", "lr"), FieldInfo)``."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            default = default_of(info)
            group = type(default) if isinstance(default, info.annotation) else info.annotation
            yield from leaves(group, (*prefix, name))
        else:
            yield (*prefix, name), info
