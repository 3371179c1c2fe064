"""``restore new-plugin NAME``: write a distribution with a small model family, which its author then replaces."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from restore import registry
from restore.core.errors import UsageError

TEMPLATES = Path(__file__).parents[1] / "templates"
"""A folder of files for each variant, which belong to a plugin called ``your-net``; ``common`` has those of all."""

VariantName = Literal["super-resolution", "restoration", "inpainting", "segmentation", "blank"]


@dataclass(frozen=True)
class Variant:
    """What the files that all variants share say about one of them."""

    summary: str
    keyword: str
    predict: str = "restore predict runs/first photo.jpg --output out/"


VARIANTS: Mapping[VariantName, Variant] = {
    "super-resolution": Variant("Upscale photographs with a small residual network.", "super-resolution"),
    "restoration": Variant("Remove noise from photographs with a small residual network.", "denoising"),
    "inpainting": Variant(
        "Fill holes in photographs with a small network of dilated convolutions.",
        "inpainting",
        "restore predict runs/first photo.jpg --mask mask.png --output out/",
    ),
    "segmentation": Variant("Find regions in images with a small encoder and decoder.", "segmentation"),
    "blank": Variant("Brighten dark photographs: the least that trains.", "image-restoration"),
}

_NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40
_CLASSES = ("Task", "Settings", "Network", "EvaluateOptions")
"""Ends of the classes that the templates name after the plugin."""


def new_plugin(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Name of the plugin and of its task: lower-case words joined by hyphens, such as my-net.",
        ),
    ],
    task: Annotated[
        VariantName, typer.Option("--task", help="What the model does; blank: the least that trains.")
    ] = "restoration",
    ci: Annotated[
        Literal["github"] | None, typer.Option("--ci", help="Also write a workflow that runs the tests on GitHub.")
    ] = None,
) -> None:
    """Write the folder ``restore-NAME`` with a plugin that trains as it is, and print what to do next."""
    name = check_plugin_name(name)
    _refuse_installed(name)
    folder = Path(f"restore-{name}")
    _write(folder, render_plugin(name, task, ci))
    typer.echo(f"{folder}/ contains a plugin that trains as it is. Replace its network by yours. Next:\n")
    typer.echo(f'  cd {folder} && pip install -e ".[test]"')
    typer.echo(f"  restore train {name} --name first")
    typer.echo("  pytest")


def check_plugin_name(name: str) -> str:
    """Return the name of a plugin as it is written in commands: with hyphens, and without the prefix ``restore-``.

    Raises UsageError if it cannot be one.
    """
    wanted = name.replace("_", "-").removeprefix("restore-")
    if _NAME.fullmatch(wanted) and len(wanted) <= _LONGEST:
        return wanted
    close = re.sub("[^a-z0-9]+", "-", wanted.lower()).strip("-0123456789")[:_LONGEST].strip("-")
    hint = f"; did you mean {close!r}?" if close and _NAME.fullmatch(close) else ""
    raise UsageError(
        f"invalid plugin name {name!r}: use up to {_LONGEST} lower-case letters, digits and single hyphens, and begin "
        f"with a letter{hint}"
    )


def render_plugin(name: str, task: VariantName, ci: Literal["github"] | None = None) -> dict[str, str]:
    """Return the files of a plugin, as their path below its folder and their text.

    Args:
        name: name of the plugin, with hyphens.
        task: what its model does.
        ci: service to write a workflow for.

    Raises UsageError if a class of the plugin would have the name of one that it imports.
    """
    variant = VARIANTS[task]
    texts = dict(_read_files(TEMPLATES / "common")) | dict(_read_files(TEMPLATES / task))
    if ci == "github":
        texts[".github/workflows/test.yml"] = (TEMPLATES / "github" / "test.yml").read_text("utf-8")
    camel = "".join(word.capitalize() for word in name.split("-"))
    taken = re.compile(rf"\b{camel}({'|'.join(_CLASSES)})\b")
    for text in texts.values():
        if found := taken.search(text):
            raise UsageError(f"a plugin cannot be called {name!r}: restore has a {found.group()}; choose another name")
    values = {
        "your-net": name,
        "your_net": name.replace("-", "_"),
        "YourNet": camel,
        "@SUMMARY@": variant.summary,
        "@KEYWORD@": variant.keyword,
        "@PREDICT@": variant.predict,
    }
    placeholder = re.compile("|".join(values))

    def fill(text: str) -> str:
        return placeholder.sub(lambda match: values[match.group()], text)

    return {fill(path): fill(text) for path, text in sorted(texts.items())}


def _read_files(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix(), path.read_text("utf-8")


def _refuse_installed(name: str) -> None:
    """Raise UsageError if an installed plugin or task has the name: one of the two could not be used."""
    for plugin in registry.plugins():
        if plugin.name == name.replace("-", "_"):
            source = plugin.distribution or plugin.path
            raise UsageError(f"a plugin called {plugin.name!r} is installed ({source}); choose another name")
    for entry in registry.entries("tasks"):
        if entry.name == name:
            raise UsageError(f"plugin {entry.plugin!r} has a task called {name!r}; choose another name")


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write all files, or none. Raises UsageError if the folder exists."""
    try:
        folder.mkdir()
    except FileExistsError:
        raise UsageError(
            f"{folder} already exists in {Path.cwd()}; choose another name, or run this command in another folder"
        ) from None
    try:
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
    except BaseException:  # such as Ctrl-C or a full disk
        shutil.rmtree(folder, ignore_errors=True)
        raise
