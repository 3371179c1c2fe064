"""What the first argument of ``predict``, ``evaluate`` and of plugin commands refers to, resolved once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restore import registry
from restore.core.errors import UsageError, WeightsError
from restore.core.versions import advise_installation
from restore.registry.naming import did_you_mean

if TYPE_CHECKING:
    from restore.core.method import Method
    from restore.core.networks import Networks
    from restore.core.settings import Settings
    from restore.core.weights.header import Header


@dataclass(frozen=True)
class ModelRef:
    """A run, a weights file, weights of a plugin or a classical method that the user named.

    Made by :func:`resolve_model`.
    """

    name: str
    """As it was typed."""
    entry: registry.Entry
    """The registration of the task."""
    weights: Path | None = None
    """The weights file; None for a classical method, which has none."""
    header: Header | None = None
    """What the weights file says about itself."""
    shipped: bool = False
    """Whether the name is that of weights that a plugin ships, not a path."""

    def open(self, *, predict: Settings | None = None, evaluate: Settings | None = None) -> tuple[Method, Networks]:
        """Load the method with its options, and its networks, on the CPU and ready for inference.

        Args:
            predict: options of ``restore predict``; unset: their defaults.
            evaluate: options of ``restore evaluate``; unset: their defaults.

        Raises WeightsError if the weights file is damaged or does not fit the task, and the registry's errors if the
        task cannot be imported.
        """
        from restore.core.weights.files import open_method, open_weights

        method_type = self.entry.load()
        if self.weights is None:
            return open_method(method_type, predict=predict, evaluate=evaluate)
        return open_weights(self.weights, lambda *_: method_type, predict=predict, evaluate=evaluate)


def resolve_model(name: str) -> ModelRef:
    """Find out what ``name`` refers to. Reads the header of a weights file, without torch.

    A checkpoint of another project is converted into a cache first, see `restore.cli.foreign_weights`.

    Raises:
        UsageError: the name is empty, or neither a run, nor a weights file, nor weights of a plugin, nor a classical
            method.
        WeightsError: the weights file is damaged.
        RegistryError: the task of the weights is not installed.
    """
    from restore.cli.foreign_weights import convert_to_cache, is_foreign
    from restore.core.weights.header import read_header

    if not name:
        raise UsageError("expected a run folder, a weights file or the name of a classical method; got an empty string")
    weights = _find_file(name)
    if shipped := weights is None:
        entry = _find_entry(name)
        if entry.kind == "tasks":
            return ModelRef(name, entry)
        weights = Path(entry.load())
    if is_foreign(weights):
        weights = convert_to_cache(weights)
    header = read_header(weights)
    try:
        entry = registry.entry("tasks", header.task)
    except registry.RegistryError as error:
        advice = advise_installation(header.plugins)
        raise WeightsError(f"{name}: {error}\n{advice}") if advice else error from error
    return ModelRef(name, entry, weights, header, shipped)


def _find_file(name: str) -> Path | None:
    """Return the weights file of a run or a path; None if ``name`` is neither, but may be registered."""
    from restore.core.weights.header import find_weights

    path = Path(name)
    if not path.exists():
        return None
    try:
        return find_weights(path)
    except UsageError as refused:
        # A folder may happen to have the name of something registered; without weights it is no run.
        try:
            _find_entry(name)
        except (UsageError, registry.PluginNotReady):
            raise refused from None
        return None


def _list_neighbors(path: Path) -> list[str]:
    """Return the runs and weights files in the folder of a path that does not exist."""
    try:
        found = [
            each for each in path.parent.iterdir() if (each / "config.yaml").is_file() or each.suffix == ".safetensors"
        ]
    except OSError:
        return []
    return [str(path.parent / each.name) for each in found]


def require_weights(name: str, action: str) -> tuple[ModelRef, Path]:
    """Return what ``name`` refers to, and its weights file.

    Raises what `resolve_model` raises, and UsageError for a classical method, which has no weights to ``action``.
    """
    model = resolve_model(name)
    if model.weights is None:
        raise UsageError(f"{name} is a classical method and has no weights to {action}")
    return model, model.weights


def refuse_image(name: str, command: str) -> None:
    """Raise UsageError if the first argument is an image or a folder of images, so that no model is named."""
    from restore.core.images.listing import SUFFIXES, has_images

    path = Path(name)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        what = "an image"
    elif path.is_dir() and not (path / "config.yaml").exists() and has_images(path):
        what = "a folder of images"
    else:
        return
    raise UsageError(
        f"{name} is {what}, and no model is named. Name one first, such as: "
        f"restore {command}\n'restore {command.split()[0]} --help' lists runs and classical methods"
    )


def _find_entry(name: str) -> registry.Entry:
    """Return the weights that a plugin ships under a name, else the classical method of the name.

    Raises UsageError if there is neither, and RegistryError if several plugins have the name.
    """
    try:
        entry = registry.first_entry(("weights", "tasks"), name)
    except registry.UnknownName as error:
        if Path(name).suffix or any(separator in name for separator in (os.sep, os.altsep or "/")):
            raise UsageError(
                f"{name}: no such file or folder{did_you_mean(name, _list_neighbors(Path(name)))}"
            ) from None
        known = [known for known, _ in list_models()]
        listed = f"; available: {', '.join(known)}" if known else ""
        raise UsageError(
            f"no run, weights or classical method is called '{name}'{did_you_mean(name, known) or listed}"
            + (error.unusable and f"\n{error.unusable}")
        ) from None
    if entry.kind == "tasks" and needs_training(entry):
        raise UsageError(
            f"{entry.name} needs trained weights: give a run folder or a weights file instead of its name.\n"
            f"'restore train {entry.name}' makes one."
        )
    return entry


def needs_training(entry: registry.Entry) -> bool:
    """Whether a task has something to train; the others are classical methods."""
    return not isinstance(entry.spec, registry.TaskSpec) or entry.spec.trains


def list_classical_methods() -> Iterator[tuple[str, str]]:
    """Yield the name and the summary of each classical method."""
    yield from name_entries(entry for entry in registry.entries("tasks") if not needs_training(entry))


def list_trainable_tasks() -> Iterator[tuple[str, str]]:
    """Yield the name and the summary of each task that can be trained."""
    yield from name_entries(filter(needs_training, registry.entries("tasks")))


def name_entries(found: Iterable[registry.Entry]) -> Iterator[tuple[str, str]]:
    """Yield the shortest unambiguous name and the summary of each entry."""
    entries = list(found)
    names = [entry.name for entry in entries]
    for entry in entries:
        # The registry looks in the plugin with the task's own name first, so that short name is never ambiguous.
        short = names.count(entry.name) == 1 or entry.plugin == entry.name.replace("-", "_")
        yield entry.name if short else entry.full_name, entry.summary


def list_shipped() -> Iterator[tuple[str, str]]:
    """Yield the name and the summary of the weights that plugins ship."""
    yield from name_entries(registry.entries("weights"))


def list_models() -> Iterator[tuple[str, str]]:
    """Yield what help and completion offer as a first argument: runs in ``runs/``, weights, classical methods."""
    for weights in sorted(Path("runs").glob("*/best.safetensors")):
        yield str(weights.parent), "a run"
    yield from list_shipped()
    yield from list_classical_methods()
