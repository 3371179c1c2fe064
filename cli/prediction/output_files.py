"""The files that ``restore predict`` writes; none of them replaces what it must not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from restore.core.errors import UsageError

if TYPE_CHECKING:
    from restore.cli.prediction.jobs import Job
    from restore.core.images.streaming import Format
    from restore.core.settings import Settings

SUFFIXES: dict[Format, str] = {"png": "png", "tiff": "tif", "jpeg": "jpg"}
"""Suffix of a result of each format."""

_LISTED = 5  # files in an error message


def name_result(stem: str, part: str, kind: Format) -> str:
    """Return the name of the file with one part of a result: the image itself ("") or what a task renders besides."""
    return f"{stem}{f'-{part}' if part else ''}.{SUFFIXES[kind]}"


class OutputExists(UsageError):
    """A file to be written already exists, or is one of the inputs."""


@dataclass
class OutputFiles:
    """The files of all results."""

    folder: Path
    jobs: list[Job]
    read: list[Path]
    """Files that are read meanwhile."""
    overwrite: bool = False
    kind: Format = "png"
    single: bool = False
    """Whether there must be one file only, for standard output."""
    shared: bool = False
    """Whether other processes write some of the files meanwhile."""
    parts: set[str] = field(default_factory=set)
    """Parts of a result that are known so far: the image itself ("") and what a task renders besides."""
    owners: dict[str, Job] = field(default_factory=dict)
    """The image that each file is for; in lower case, since some file systems do not distinguish A and a."""

    def path(self, job: Job, part: str) -> Path:
        """Return the file of one part of the result of an image."""
        return self.folder / name_result(job.name, part, self.kind)

    def skip_existing(self, parts: Sequence[str]) -> int:
        """Leave out the images whose results exist; return how many. The others may then replace parts of a result.

        Files get their names when they are complete, and the first part of a result gets its name last. Without it, the
        others are left from work that was interrupted.

        Args:
            parts: the parts that every result has.

        Raises:
            UsageError: no part of a result is known.
            OutputExists: the first part of a result exists, but not the others, so it is that of another method.
        """
        if not parts:
            raise UsageError("--skip-existing: this model does not say which files it writes; leave it out")
        left = []
        for job in self.jobs:
            there = [self.path(job, part) for part in parts if self.path(job, part).exists()]
            if len(there) < len(parts):
                if self.path(job, parts[0]) in there:
                    missing = next(path for part in parts if not (path := self.path(job, part)).exists())
                    raise OutputExists(
                        f"{there[0]} exists, but {missing} does not; choose another --output, or replace with "
                        "--overwrite"
                    )
                left.append(job)
        skipped = len(self.jobs) - len(left)
        self.jobs, self.overwrite = left, True
        return skipped

    def reserve(self, parts: Iterable[str], job: Job | None = None) -> None:
        """Raise OutputExists if a file of one of these parts must not be written, also for images that come later.

        What a task renders besides the image itself is known only after the first image.

        Args:
            parts: the parts.
            job: the image in hand. If other processes write files too, theirs are no obstacle: of parts that were not
                known before all began, only the files of this image are looked for.
        """
        new = sorted(set(parts) - self.parts)
        if self.single and len(self.parts) + len(new) > 1:
            names = ", ".join(part or "the image" for part in sorted({*self.parts, *new}))
            raise OutputExists(f"--output -: standard output takes one file, but this model writes several: {names}")
        targets = []
        for each in self.jobs:
            for part in new:
                target = self.path(each, part)
                owner = self.owners.setdefault(str(target).casefold(), each)
                if owner != each:
                    raise OutputExists(
                        f"{owner.path} and {each.path} would both be written as {target}; process them one at a time, "
                        "each with its own --output"
                    )
                if not self.shared or each == job:
                    targets.append(target)
        refuse_overwrites(targets, self.read, self.overwrite)
        if not self.shared:
            self.parts.update(new)

    def make_folders(self) -> None:
        """Make the output folder and the folders in it, before any work is done.

        Raises UsageError if a file has the name of one, RestoreError if one cannot be made or written to.
        """
        from restore.core.atomic import writable_folder

        for folder in dict.fromkeys([self.folder, *((self.folder / job.name).parent for job in self.jobs)]):
            writable_folder(folder)


def list_paths(options: Settings | None) -> Iterator[Path]:
    """Yield the files and folders in options, such as masks: they are read, so they must not be overwritten."""
    from restore.core.settings import Settings as AnySettings

    for name in type(options).model_fields if options is not None else ():
        value = getattr(options, name)
        if isinstance(value, AnySettings):
            yield from list_paths(value)
        yield from (each for each in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(each, Path))


def refuse_output_folder(output: Path, read: Sequence[Path]) -> None:
    """Raise UsageError if the output folder is one that is read: the next run would read the results too."""
    if output.resolve() in {path.resolve() for path in read}:
        raise UsageError(f"--output {output}: another option reads this folder; choose another --output")


def refuse_overwrites(targets: Sequence[Path], inputs: Sequence[Path], overwrite: bool) -> None:
    """Raise OutputExists if a target is an input, or exists and ``overwrite`` is False."""
    originals = {path.resolve() for path in inputs}
    for target in targets:
        if target.resolve() in originals:
            raise OutputExists(f"{target}: would replace an input; choose another --output")
    existing = [target for target in targets if target.exists()]
    if existing and not overwrite:
        names = ", ".join(map(str, existing[:_LISTED])) + (", …" if len(existing) > _LISTED else "")
        raise OutputExists(
            f"{names}: already exists; choose another --output, or replace with --overwrite, or leave such images out "
            "with --skip-existing"
        )
