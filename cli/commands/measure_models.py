"""Open models for ``restore evaluate``, and measure all of them on the same images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from restore.cli.backends import open_on_backend
from restore.cli.commands.evaluation_report import MeasuredModel, MeasuredSet
from restore.cli.commands.evaluation_subjects import FailedImages, Subject
from restore.cli.exit import print_warning
from restore.cli.model_ref import ModelRef
from restore.core.errors import UsageError

if TYPE_CHECKING:
    import torch

    from restore.cli.command_line import CommandLine
    from restore.cli.task_options import EvaluateRequest
    from restore.core.method import Method
    from restore.core.metrics import EvaluationProtocol, NamedMetric
    from restore.core.networks import Networks
    from restore.core.reduction import Evaluation
    from restore.core.settings import Settings


@dataclass(frozen=True)
class _Opened:
    """An opened model, and the registered metrics that it is measured with too."""

    model: ModelRef
    method: Method
    networks: Networks
    metrics: Sequence[NamedMetric]


def measure_set(
    models: Sequence[ModelRef],
    labels: Sequence[str],
    request: EvaluateRequest,
    options: Sequence[Settings | None],
    data: Path | None,
    command: CommandLine,
) -> MeasuredSet:
    """Measure every model on the images of a folder, or on the built-in sample; arguments as `evaluate`."""
    from restore.cli.commands.evaluation_workers import measure_in_workers
    from restore.cli.console.bar import open_bar
    from restore.cli.console.log_capture import print_log_warnings
    from restore.core.evaluation import evaluate
    from restore.core.images.damaged import leave_out_damaged
    from restore.core.reduction import Evaluation
    from restore.core.runtime.devices import device_of

    device = device_of(request.torch_device)
    with print_log_warnings(), open_bar() as bar, leave_out_damaged() as damaged:
        subjects = open_subjects(models, request, options, data, bar.say)
        names = _check_same_images(subjects, data)
        defaults = [subject.method.default_protocol for subject in subjects]
        scales = [subject.method.outputs[subject.method.main_output].scale for subject in subjects]
        measured, drawn, failed = list[Evaluation](), dict[str, dict[str, list[str]]](), FailedImages(damaged)
        if request.workers > 1 and len(names) > 1:
            measured = measure_in_workers(command, request.workers, data, subjects, labels, failed, bar)
        for label in labels:
            # Taken off the list: networks stay on the device, and only few fit there.
            subject = subjects.pop(0)
            if len(measured) < len(labels):
                measured.append(
                    evaluate(
                        subject.method,
                        subject.networks,
                        subject.images,
                        subject.protocol,
                        device=device,
                        of=label,
                        progress=partial(bar.show, label),
                        failed=failed.add,
                    )
                )
            if request.report is not None:
                drawn[label] = _draw(subject, measured[0], device)
    sources = [MeasuredModel(*each) for each in zip(models, labels, scales, strict=True)]
    count = len(names) - len(failed.measuring)
    where = str(device) if request.backend == "torch" else f"{device}, {request.backend}"
    protocol = request.protocol or ", ".join(dict.fromkeys(defaults))
    found = MeasuredSet(data, count, failed.count, measured, sources, protocol, where, command.typed, drawn)
    for note in found.notes:
        print_warning(note if data is None else f"{data}: {note}")
    return found


def _draw(subject: Subject, first: Evaluation, device: torch.device) -> dict[str, list[str]]:
    """Return the images that the first model does worst, with the results of this one, as addresses for a page."""
    from restore.core.reports.worst_images import MOST, draw_images, rank_images

    worst = rank_images(first)[:MOST]
    return dict(draw_images(subject.method, subject.networks, subject.images, worst, device))


def open_subjects(
    models: Sequence[ModelRef],
    request: EvaluateRequest,
    options: Sequence[Settings | None],
    data: Path | None,
    say: Callable[[str], None],
) -> list[Subject]:
    """Open every model, then find its images and protocol; arguments as `evaluate`.

    ``say`` is told about work that takes a while, such as making a graph for another backend.
    """
    opened = [_open(model, each, request, say) for model, each in zip(models, options, strict=True)]
    return [_find_images(each, request.protocol, data) for each in opened]


def _open(
    model: ModelRef, options: Settings | None, request: EvaluateRequest, notify: Callable[[str], None]
) -> _Opened:
    """Open a model and find the registered metrics. Raises UsageError for one that does not fit it."""
    from restore.cli.settings.registered_metrics import find_metric
    from restore.core.inference.self_ensemble import add_self_ensemble

    method, networks = model.open(evaluate=options)
    if request.self_ensemble and model.weights is not None:
        method = add_self_ensemble(method)
    _find_protocol(model, method, request.protocol)  # so that a wrong name is refused before images are looked at
    metrics = []
    for text in request.metric:
        try:
            metrics.append(find_metric(text, method))
        except UsageError as error:
            raise UsageError(f"--metric {text} cannot be measured of {model.name}: {error}") from error
    networks = open_on_backend(model, method, networks, request.backend, notify)
    return _Opened(model, method, networks, metrics)


def _find_images(opened: _Opened, wanted: str | None, data: Path | None) -> Subject:
    from restore.core.dataset import as_dataset
    from restore.core.metrics import add_metric

    method = opened.method
    images = as_dataset(method.evaluation_data(data))  # before the protocols, which may depend on the data
    protocol = _find_protocol(opened.model, method, wanted, check=False)
    for metric in opened.metrics:
        protocol, _ = add_metric(protocol, metric)
    return Subject(opened.model, method, opened.networks, images, protocol)


def _check_same_images(subjects: Sequence[Subject], data: Path | None) -> list[str]:
    """Return the names of the images. Raises UsageError if they are not the same for all."""
    first, *others = ([subject.images.name(index) for index in range(len(subject.images))] for subject in subjects)
    for subject, names in zip(subjects[1:], others, strict=True):
        if names != first:
            advice = "give --data" if data is None else "evaluate each on its own"
            where = "" if data is None else f" in {data}"
            raise UsageError(
                f"{subject.model.name} would be measured on other images{where} than {subjects[0].model.name}; {advice}"
            )
    return first


def _find_protocol(model: ModelRef, method: Method, name: str | None, *, check: bool = True) -> EvaluationProtocol:
    """Return the protocol of a name, its own or a registered one, or the default one.

    ``check`` tries a registered one on small images. Raises UsageError if there is none of the name that fits; the
    message lists those of the task.
    """
    known = method.protocols()
    if not known:
        raise UsageError(f"{model.name}: {model.entry.full_name} has no evaluation protocol, so it cannot be measured")
    if name is None:
        return known[method.default_protocol]
    if name in known:
        return known[name]
    from restore.cli.settings.registered_metrics import find_registered_protocol

    try:
        return find_registered_protocol(name, method, check=check)
    except UsageError as error:
        raise UsageError(
            f"--protocol {name}: {model.entry.full_name} has no such protocol; it has {', '.join(known)}\n{error}"
        ) from error
