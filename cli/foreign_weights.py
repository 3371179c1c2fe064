"""Weights of other projects: find out what a file is of, and convert it, for keeping or into a cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from restore import registry
from restore.cli.cache import cache_folder, writable_cache
from restore.cli.completing import completing
from restore.cli.counting import count
from restore.cli.printable import printable
from restore.cli.published_weights import find_published
from restore.core.errors import RestoreError, WeightsError
from restore.core.hashing import hash_file
from restore.core.versions import find_version
from restore.core.weights.header import ENTRY, count_parameters, read_header
from restore.core.weights.safetensors_format import safetensors_header

if TYPE_CHECKING:
    from restore.core.weights.convert import ConvertibleTask, Report
    from restore.core.weights.header import Header
    from restore.core.weights.trials import Request, Rule, Target

_PICKLES = (b"PK\x03\x04", b"\x80")
SHOWN = 12  # digits of a hash in a line


def is_foreign(path: Path) -> bool:
    """Return whether a file has weights of another project: a pickle, or a safetensors file that names no task.

    Raises WeightsError for a file that is certainly no weights file, such as a web page.
    """
    from restore.core.weights.file_kinds import refuse_other_kinds

    refuse_other_kinds(path)
    try:
        return ENTRY not in safetensors_header(path).get("__metadata__", {})
    except WeightsError:
        with path.open("rb") as file:
            if file.read(4).startswith(_PICKLES):
                return True
        raise


def import_file(
    source: Path,
    output: Path,
    *,
    task: str | None = None,
    request: Request | None = None,
    overwrite: bool = False,
) -> Report:
    """Convert a checkpoint of another project to a weights file.

    Args:
        source: the checkpoint.
        output: the file to write.
        task: name of the task that it is for; None: the one that fits.
        request: what is asked for.
        overwrite: whether to replace ``output``.

    Raises what `restore.core.weights.convert.import_recognized` raises.
    """
    from restore.core.weights.convert import import_recognized

    wanted = registry.entry("tasks", task) if task is not None else None
    tasks = _list_tasks(wanted)
    return import_recognized(
        source,
        output,
        tasks,
        _list_general(),
        find_target=_target_finder(wanted),
        request=request,
        overwrite=overwrite,
    )


def _list_tasks(wanted: registry.Entry | None) -> list[ConvertibleTask]:
    """Return the tasks with converters of their own; with ``wanted``, that one alone."""
    from restore.core.weights.convert import ConvertibleTask

    entries = [wanted] if wanted is not None else registry.entries("tasks")
    return [
        ConvertibleTask(_make_target(entry), entry.locate("imports") if "imports" in entry.references else {})
        for entry in entries
        if entry is wanted or "imports" in entry.references
    ]


def _list_general() -> list[Rule]:
    """Return the converters that find the task themselves, those that know the most architectures last."""
    from restore.core.weights.trials import Rule

    entries = sorted(registry.entries("converters"), key=lambda entry: bool(getattr(entry.spec, "fallback", False)))
    return [Rule(entry.name, None, entry.load()) for entry in entries]


def _make_target(entry: registry.Entry) -> Target:
    from restore.core.weights.trials import Target

    return Target(entry.full_name, entry.load(), {entry.plugin: entry.requirement})


def _target_finder(wanted: registry.Entry | None) -> Callable[[str], Target]:
    def find(name: str) -> Target:
        entry = registry.entry("tasks", name)
        if wanted is not None and entry.full_name != wanted.full_name:
            raise WeightsError(f"recognized, but as weights for {entry.full_name}, not for {wanted.full_name}")
        return _make_target(entry)

    return find


def convert_to_cache(path: Path) -> Path:
    """Convert a checkpoint into the cache, unless it is there already, and print one line about it.

    The cache knows files by their hash. Where it cannot be written, the result lasts until the program ends.

    Raises WeightsError if nothing recognizes the file.
    """
    try:
        digest = hash_file(path)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from error
    name = f"{digest}-{find_version('restorekit')}.safetensors"
    cached = cache_folder("converted") / name
    if completing.get():
        return cached  # whether it is there or not: a shell does not wait for a conversion
    if not _is_intact(cached):
        cached = writable_cache(cached.parent, f"{path} is converted again each time") / name
        import_file(path, cached, overwrite=True)
    known = find_published(digest)
    told = f"{path}: {describe(cached, read_header(cached))}, sha256 {digest[:SHOWN]}…"
    typer.echo(printable(f"{told}, {known}" if known else told), err=True)
    return cached


def _is_intact(path: Path) -> bool:
    try:
        read_header(path)
    except RestoreError:
        return False
    return True


def describe(path: Path, header: Header) -> str:
    """Return architecture, scale and number of parameters of a weights file in a few words."""
    words = [str(header.model.get("architecture", header.task))]
    if scale := scale_of(header.model):
        words.append(f"x{scale:g}")
    return ", ".join([*words, count(count_parameters(path), "parameter")])


def scale_of(model: Mapping[str, Any]) -> float | None:
    """Return the scale in the model settings of a weights file; None if it has none."""
    scale = model.get("scale")
    return float(scale) if isinstance(scale, int | float) and not isinstance(scale, bool) else None
