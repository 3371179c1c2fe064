"""``restore pack``: make a weights file to pass on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from restore.cli.commands.output_paths import refuse_source
from restore.cli.model_ref import require_weights
from restore.core.errors import UsageError


def pack(
    model: Annotated[str, typer.Argument(metavar="RUN|WEIGHTS", help="A run folder (its best weights) or a file.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="The weights file to write, *.safetensors.")],
    card: Annotated[
        list[str] | None,
        typer.Option(
            "--card",
            metavar="NAME=TEXT",
            help="What the weights say of themselves: data, license, intended use, limits; may be repeated.",
        ),
    ] = None,
    precision: Annotated[
        Literal["fp16", "fp32"], typer.Option(help="Of the stored weights; networks compute in fp32 in any case.")
    ] = "fp16",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it exists.")] = False,
) -> None:
    """Make a weights file to pass on: half as large, with a card that says what it is."""
    from restore.core.weights.pack import pack_weights

    texts = read_card(card or ())
    _, weights = require_weights(model, "pack")
    if output.suffix != ".safetensors":
        raise UsageError(f"--output {output}: the name must end in .safetensors")
    refuse_source(output, weights, overwrite)
    pack_weights(weights, output, texts, half=precision == "fp16")
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.2f} MB ({weights.stat().st_size / 1e6:.2f} MB before)")


def read_card(given: Sequence[str]) -> dict[str, str]:
    """Return the texts of ``NAME=TEXT`` words. Raises UsageError for a word without a name or a text."""
    card = {}
    for word in given:
        name, _, text = (part.strip() for part in word.partition("="))
        if not name or not text:
            raise UsageError(f"--card {word}: write it as NAME=TEXT, such as license=CC0-1.0")
        card[name] = text
    return card
