"""The flags of ``predict`` and ``evaluate``: those of the command, and those that the chosen tasks registered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import typer
from pydantic import Field, field_validator, model_validator

from restore import registry
from restore.cli.exit import DEBUG_FLAG
from restore.cli.model_ref import ModelRef
from restore.cli.settings.flags import Flags
from restore.cli.settings.registered_names import find_needed_plugins
from restore.cli.settings.setting import list_settings
from restore.cli.settings.shared_options import find_fixed_options, has_fixed, refuse_contradiction
from restore.cli.settings.sources import validate
from restore.cli.settings.specialize import find_typed_names, specialize
from restore.cli.settings.task_settings import check_plugin_defaults, load_settings_class, plugin_errors
from restore.core.errors import UsageError
from restore.core.settings import RegisteredName, Settings

Device = Literal["auto", "cpu", "cuda", "mps"] | Annotated[str, Field(pattern=r"^cuda:\d+$")]


class PredictRequest(Settings):
    """Options of ``restore predict`` for every task."""

    output: Path
    """Folder for the results; each is written as <name>.png, or with the suffix of --output-format. -: standard output,
    for a single result."""
    output_format: Literal["png", "tiff", "jpeg"] = "png"
    """Format of the results; jpeg: 8 bits, without alpha, and lossy. TIFF files above 4 GB are BigTIFF."""
    quality: Annotated[int, Field(ge=1, le=100)] = 95
    """Quality of JPEG files."""
    output_scale: Annotated[float | None, Field(gt=0, le=100)] = None
    """Resize results (Lanczos) to so many times the size of the input, whatever the scale of the model."""
    fit: str | None = None
    """Resize results (Lanczos) to the largest size that fits into WIDTHxHEIGHT, such as 3840x2160; the aspect ratio
    stays."""
    self_ensemble: bool = False
    """Average over the eight flips and turns of each image: slightly better, in eight times the time."""
    tile: Literal["auto", "off"] | Annotated[int, Field(ge=16)] = "auto"
    """Edge in pixels of the tiles that large images are cut into; off: never cut; auto: cut when memory runs out."""
    device: Device = "auto"
    """Device to compute on; cuda:1 is the second GPU."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes that share the images, each with the model in memory; of several GPUs each process has one."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32"
    """Floating-point precision; all but fp32 are less exact and on some devices faster; auto: bf16 where the
    hardware has instructions for it."""
    backend: Literal["torch", "onnx", "openvino"] = "torch"
    """Program that computes the networks. onnx: ONNX Runtime (needs pip install 'restorekit[onnx]'), openvino: OpenVINO
    (pip install 'restorekit[openvino]'); both compute in fp32 on the CPU. Their graphs are made once and kept."""
    frame: Literal["first", "all"] | Annotated[int, Field(ge=1)] | None = None
    """Frame of an animation or page of a document: first, all (each becomes a result of its own), or a number from 1;
    unset: the first, with a warning if there are more."""
    compare: bool = False
    """Apply several models, named one after the other, and show their results side by side: a folder of results for
    each, contact-sheet.png and the page compare.html."""
    recursive: bool = False
    """Also process the images in sub-folders of a folder; results keep its tree. Hidden files and those of operating
    systems are left out, and so is the output folder."""
    overwrite: bool = False
    """Replace existing files."""
    skip_existing: bool = False
    """Leave out images whose results exist, to continue work that was interrupted."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.overwrite and self.skip_existing:
            raise ValueError("--overwrite and --skip-existing exclude each other")
        if self.output_scale is not None and self.fit is not None:
            raise ValueError("--output-scale and --fit exclude each other")
        return self

    @field_validator("fit")
    @classmethod
    def _box(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"0*[1-9]\d{0,5}x0*[1-9]\d{0,5}", value):
            raise ValueError("expected WIDTHxHEIGHT in pixels, such as 3840x2160")
        return value

    @property
    def torch_device(self) -> str:
        """Where torch computes: what was asked for, or the CPU beside another backend."""
        return self.device if self.backend == "torch" else "cpu"

    @property
    def box(self) -> tuple[int, int] | None:
        """Height and width that results have to fit into."""
        if self.fit is None:
            return None
        width, _, height = self.fit.partition("x")
        return int(height), int(width)


class EvaluateRequest(Settings):
    """Options of ``restore evaluate`` for every task."""

    data: tuple[Path, ...] = ()
    """Folder of images to measure on, once or several times; unset: the built-in sample of the task, which is refused
    for a run that was trained on other data. Sub-folders mean inputs and targets, masks, classes or persons here, so
    they are not searched: name each with a --data of its own."""
    protocol: str | None = None
    """Set of metrics to compute, of the task or of a plugin (PLUGIN/NAME); unset: the task's first. 'restore show TASK'
    lists those of a task."""
    metric: Annotated[tuple[str, ...], RegisteredName("metrics")] = ()
    """Metric of a plugin to compute besides: PLUGIN/NAME, or PLUGIN/NAME,setting=value."""
    self_ensemble: bool = False
    """Average each trained model over the eight flips and turns of each image; methods without weights stay as they
    are."""
    intervals: bool = False
    """Also print 95 % bootstrap intervals, and the differences between the models with a paired test."""
    table: Literal["plain", "markdown", "latex"] = "plain"
    """How to print: a table for each folder, or all folders as the table of a paper, in Markdown or LaTeX."""
    csv: Path | None = None
    """Write the value of each image to this CSV file too."""
    report: Path | None = None
    """Write a page to this HTML file too: the numbers, and the images with their results, the worst first."""
    device: Device = "auto"
    """Device to compute on; cuda:1 is the second GPU."""
    backend: Literal["torch", "onnx", "openvino"] = "torch"
    """Program that computes the networks. onnx: ONNX Runtime (needs pip install 'restorekit[onnx]'), openvino: OpenVINO
    (pip install 'restorekit[openvino]'); both compute in fp32 on the CPU. Their graphs are made once and kept."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes that share the images, each with the models in memory; of several GPUs each process has one."""

    @property
    def torch_device(self) -> str:
        """Where torch computes: what was asked for, or the CPU beside another backend."""
        return self.device if self.backend == "torch" else "cpu"


class TaskOptions:
    """The flags of one command: its own, and those that all chosen tasks share.

    Args:
        models: what the command is used on.
        command: the command, whose settings the tasks registered under the same name.
        request: settings class of the command itself.
        arguments: the command line after the models, to report errors with the flags as typed.

    Raises:
        UsageError: the arguments contain an option that not all of the models have.
        BrokenSettings: a plugin registered settings that cannot become flags.
    """

    def __init__(
        self,
        models: Sequence[ModelRef],
        command: Literal["predict", "evaluate"],
        request: type[Settings],
        arguments: list[str],
    ) -> None:
        self._models = models
        self._arguments = arguments
        self._request = Flags(request, reserved=[DEBUG_FLAG], heading=lambda _: "")
        reserved = [DEBUG_FLAG, "--json", *self._request.all_flags()]
        classes = [_load_options_class(model.entry, command, arguments) for model in models]
        types = [{setting.path: setting.value_type for setting in list_settings(each)} for each in classes]
        shared = {
            path
            for own in types
            for path, kind in own.items()
            if all(
                other.get(path) == kind or has_fixed(model, path) for model, other in zip(models, types, strict=True)
            )
        }
        self._fixed = find_fixed_options(models, classes)
        heading = f"Options of {' and '.join(dict.fromkeys(model.entry.name for model in models))}"
        self._flags: list[Flags] = []
        for model, settings_class in zip(models, classes, strict=True):
            with plugin_errors(model.entry):
                flags = Flags(
                    settings_class,
                    reserved=reserved,
                    heading=lambda setting: setting.heading or heading,
                    show_registered=bool({"--help", "-h"} & set(arguments)),
                    only=lambda setting: setting.path in shared,
                )
            self._flags.append(flags)
            for setting in list_settings(settings_class):
                names = {setting.dotted_flag, *setting.short_flags}
                if setting.path not in shared and (typed := names & {word.split("=", 1)[0] for word in arguments}):
                    flag, name = typed.pop(), model.name
                    raise UsageError(
                        f"{flag} is an option of {name}, but not of everything that is compared here; apply {name} on "
                        "its own"
                        if command == "predict"
                        else f"{flag} is an option of {name}, but not of everything that is evaluated here; evaluate "
                        f"{name} on its own"
                    )
        debug = Annotated[bool, typer.Option(DEBUG_FLAG, help="Show the traceback of an error.")]
        parameters: dict[str, Parameter] = {}
        for model, flags in zip(models, self._flags, strict=True):
            with plugin_errors(model.entry):
                parameters = {parameter.name: parameter for parameter in flags.parameters()} | parameters
        self.parameters = [
            *parameters.values(),
            *self._request.parameters(),
            Parameter("debug", Parameter.KEYWORD_ONLY, default=False, annotation=debug),
        ]
        """The parameters of the command, those of the tasks first."""

    def read(self, given: dict[str, Any]) -> tuple[Any, list[Settings]]:
        """Validate what was typed: the command's own settings, and those of each task in turn.

        Raises UsageError for a value that is wrong, or for defaults in plugins.toml that do not fit the plugins.
        """
        request = validate(self._request.model, [self._request.source(given, self._arguments)])
        options = [
            self._read_options(model, flags, given) for model, flags in zip(self._models, self._flags, strict=True)
        ]
        for plugin in dict.fromkeys(model.entry.plugin for model in self._models):
            if registry.project().defaults.get(plugin):
                check_plugin_defaults(plugin)
        return request, options

    def _read_options(self, model: ModelRef, flags: Flags, given: dict[str, Any]) -> Any:
        """Validate the options of one method: what the runs of the table fix, and what was typed."""
        typed = flags.source(given, self._arguments)
        own = {setting.path for setting in list_settings(flags.model)}  # also those that are no flags here
        fixed = [source for path, source in self._fixed.items() if path in own]
        options: Any = validate(flags.model, [*fixed, typed])
        for source in fixed:
            (path,) = source.values
            if path in typed.values:
                refuse_contradiction(
                    source, path, getattr(options, path[0]), f"{typed.typed_as[path]} {typed.values[path]}"
                )
        find_needed_plugins(model.entry, options, [typed])  # an unknown name is refused here
        return options


def _load_options_class(entry: registry.Entry, command: str, arguments: Sequence[str]) -> type[Settings]:
    """Return the class of a task's options of a command, with the settings of what the command line names."""
    if command not in entry.references:
        return Settings
    found = load_settings_class(entry, command, Settings)
    with plugin_errors(entry):
        return specialize(found, find_typed_names(found, arguments))
