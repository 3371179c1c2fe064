"""``restore predict``: use a task on picture files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from restore.cli.naming import InTheWay, expanded, paths_in, refuse_output, refuse_overwriting, stems
from restore.cli.opening import opened
from restore.cli.outcome import complain
from restore.cli.screen.bar import Bar, bar
from restore.cli.screen.warnings_of_families import warnings_told
from restore.cli.subjects import subject
from restore.core.errors import RestoreError, UsageError
from restore.core.inference.engine import predict_picture
from restore.core.machine.devices import device_of
from restore.core.machine.precision import choose
from restore.core.pictures.files import read_picture, write_picture
from restore.core.planes import Rendered
from restore.core.settings import Settings
from restore.core.steps import Modules
from restore.core.task import Task
from restore.core.writing import writable_folder


def predict(
    typed: str,
    inputs: Sequence[Path],
    output: Path,
    *,
    tile: Literal["auto"] | int | None = "auto",
    device: str = "auto",
    precision: str = "fp32",
    overwrite: bool = False,
    options: Settings | None = None,
) -> None:
    """Use a run, a weights file or a task without weights on pictures and folders of pictures.

    Results are PNG files in ``output``, called as the pictures are. A picture that cannot be used is named and the
    others go on. Raises UsageError for what is wrong before the first picture is read, and before anything is written
    where a file is in the way; RestoreError at the end when there were pictures that could not be used.
    """
    with warnings_told():
        pictures = expanded(inputs)
    names = stems(pictures)
    besides = list(paths_in(options))
    refuse_output(output, besides)
    where = device_of(device)
    arithmetic = choose(precision, where)
    with warnings_told(), bar() as shown:
        task, modules = opened(subject(typed), options)
        if isinstance(tile, int) and task.tiling.mode == "whole":
            raise UsageError(f"--tile {tile}: {typed} must see the whole picture; leave --tile out")
        results = _Results(output, list(names.values()), [*pictures, *besides], overwrite)
        # That of every task makes the picture itself and nothing else.
        results.make_way([""] if type(task).render is Task.render else task.renders)
        writable_folder(output)
        work = _Work(task, modules, where, tile, arithmetic, results, pictures, shown)
        failed = [path for path in pictures if not work.attempted(path, names[path])]
    if failed:
        raise RestoreError(f"{len(failed)} of {len(pictures)} pictures could not be used")


@dataclass
class _Results:
    """The files that results become; none of them replaces what it must not."""

    folder: Path
    names: list[str]
    read: list[Path]
    """What is read meanwhile."""
    overwrite: bool
    written: set[Path] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    """What is known to be made of a picture."""

    def target(self, name: str, part: str) -> Path:
        """The file of one part of the result of a picture."""
        return self.folder / f"{name}{f'-{part}' if part else ''}.png"

    def make_way(self, parts: Iterable[str]) -> None:
        """Raise InTheWay when a file of one of these parts must not be written, be it of a picture that comes later.

        What a task makes besides the picture itself shows only when the first picture is done.
        """
        new = sorted(set(parts) - self.parts)
        targets = {self.target(name, part) for name in self.names for part in new} - self.written
        refuse_overwriting(sorted(targets), self.read, self.overwrite)
        self.parts.update(new)


@dataclass
class _Work:
    """What is the same for every picture."""

    task: Task
    modules: Modules
    device: torch.device
    tile: Literal["auto"] | int | None
    precision: str
    results: _Results
    pictures: list[Path]
    shown: Bar

    def attempted(self, path: Path, name: str) -> bool:
        """Whether a picture could be used; if not, why is said.

        The error of a single picture is left alone, and so is InTheWay, which is about all of them.
        """
        try:
            self._use(path, name)
        except InTheWay:
            raise
        except RestoreError as error:
            if len(self.pictures) == 1:
                raise
            said = str(error)
            complain(said if said.startswith(str(path)) else f"{path}: {said}")
            return False
        return True

    def _use(self, path: Path, name: str) -> None:
        picture = read_picture(path)
        inputs = self.task.read_inputs(path, picture)
        outputs = predict_picture(
            self.task,
            self.modules,
            inputs,
            device=self.device,
            tile=self.tile,
            precision=self.precision,
            notify=lambda message: complain(f"{path}: {message}", prefix="Warning: "),
            progress=lambda done, total: self._progress(path, done / total),
        )
        rendered = self.task.render(outputs, inputs)
        self.results.make_way(rendered)
        for part, answer in rendered.items():
            target = self.results.target(name, part)
            if target in self.results.written:
                raise UsageError(f"{path}: {target} was written for another picture just now")
            self.results.written.add(write_picture(target, answer, picture))
            height, width = (answer.picture if isinstance(answer, Rendered) else answer).shape[-2:]
            self.shown.say(f"{path} -> {target} ({width} x {height})")

    def _progress(self, path: Path, share: float) -> None:
        place = self.pictures.index(path)
        self.shown.show(path.name, round(place + share, 2), len(self.pictures))
