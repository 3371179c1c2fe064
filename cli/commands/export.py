"""``restore export``: write weights for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from restore.cli.commands.output_paths import refuse_source
from restore.cli.model_ref import require_weights


def export(
    model: Annotated[
        str, typer.Argument(metavar="RUN|WEIGHTS", help="A run folder (its best weights), a file, or shipped weights.")
    ],
    output: Annotated[Path, typer.Option(metavar="FILE", help="The file to write: .safetensors or .pth.")],
    layout: Annotated[
        Literal["spandrel", "basicsr"],
        typer.Option(
            "--format",
            help="spandrel: for chaiNNer, ComfyUI and others that use spandrel; basicsr: for BasicSR and Real-ESRGAN.",
        ),
    ] = "spandrel",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it exists.")] = False,
) -> None:
    """Write weights for other programs."""
    from restore.core.weights.export import export_network

    found, weights = require_weights(model, "export")
    refuse_source(output, weights, overwrite)
    _, networks = found.open()
    tensors = export_network(networks, output, layout, source=model)
    typer.echo(f"Wrote {output}: {tensors} tensors, for programs that read the format {layout}.")
