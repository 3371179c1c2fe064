"""``restore predict``: use a task on picture files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from restore.cli.naming import expanded, refuse_overwriting, stems
from restore.cli.opening import opened
from restore.cli.outcome import complain
from restore.cli.screen.bar import Bar, bar
from restore.cli.screen.warnings_of_families import warnings_told
from restore.cli.subjects import subject
from restore.core.errors import RestoreError, UsageError
from restore.core.inference.engine import predict_picture
from restore.core.machine.devices import device_of
from restore.core.machine.precision import choose
from restore.core.pictures.files import picture_size, read_picture, write_picture
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
    others go on. Raises UsageError for what is wrong before the first picture is read, RestoreError at the end when
    there were pictures that could not be used.
    """
    with warnings_told():
        pictures = expanded(inputs)
    names = stems(pictures)
    refuse_overwriting([output / f"{name}.png" for name in names.values()], pictures, overwrite)
    where = device_of(device)
    arithmetic = choose(precision, where)
    with warnings_told(), bar() as shown:
        task, modules = opened(subject(typed), options)
        if isinstance(tile, int) and task.tiling.mode == "whole":
            raise UsageError(f"--tile {tile}: {typed} must see the whole picture; leave --tile out")
        work = _Work(task, modules, writable_folder(output), where, tile, arithmetic, overwrite, pictures, shown)
        failed = [path for path in pictures if not work.attempted(path, names[path])]
    if failed:
        raise RestoreError(f"{len(failed)} of {len(pictures)} pictures could not be used")


@dataclass
class _Work:
    """What is the same for every picture."""

    task: Task
    modules: Modules
    folder: Path
    device: torch.device
    tile: Literal["auto"] | int | None
    precision: str
    overwrite: bool
    pictures: list[Path]
    shown: Bar
    written: set[Path] = field(default_factory=set)

    def attempted(self, path: Path, name: str) -> bool:
        """Whether a picture could be used; if not, why is said. The error of a single picture is left alone."""
        try:
            self._use(path, name)
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
        targets = {part: self.folder / f"{name}{f'-{part}' if part else ''}.png" for part in rendered}
        # Only now is it known what else a task writes besides the picture itself.
        refuse_overwriting(list(targets.values()), self.pictures, self.overwrite)
        for part, target in targets.items():
            if target in self.written:
                raise UsageError(f"{path}: {target} was written for another picture just now")
            self.written.add(write_picture(target, rendered[part], picture))
            height, width = picture_size(target)
            self.shown.say(f"{path} -> {target} ({width} x {height})")

    def _progress(self, path: Path, share: float) -> None:
        place = self.pictures.index(path)
        self.shown.show(path.name, round(place + share, 2), len(self.pictures))
