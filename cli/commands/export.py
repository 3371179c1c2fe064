"""``restore export``: write weights, or the graph of a network, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from restore.cli.commands.output_paths import refuse_source
from restore.cli.model_ref import ModelRef, require_weights
from restore.core.errors import NotExportable

if TYPE_CHECKING:
    from restore.core.graphs.export import WrittenGraph
    from restore.core.graphs.formats import GraphFormat


def export(
    model: Annotated[
        str, typer.Argument(metavar="RUN|WEIGHTS", help="A run folder (its best weights), a file, or shipped weights.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="The file to write: .safetensors or .pth for weights; .onnx, .xml (OpenVINO) or .pt2 (torch).",
        ),
    ],
    layout: Annotated[
        Literal["spandrel", "basicsr", "onnx", "openvino", "torch"],
        typer.Option(
            "--format",
            help="Weights: spandrel (for chaiNNer, ComfyUI and others that use it) or basicsr (for BasicSR and "
            "Real-ESRGAN). The network as a graph: onnx, openvino, or torch (for torch.export.load).",
        ),
    ] = "spandrel",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it exists.")] = False,
) -> None:
    """Write weights, or the network as a graph, for other programs."""
    found, weights = require_weights(model, "export")
    refuse_source(output, weights, overwrite)
    match layout:
        case "spandrel" | "basicsr":
            from restore.core.weights.export import export_network

            _, networks = found.open()
            tensors = export_network(networks, output, layout, source=model)
            typer.echo(f"Wrote {output}: {tensors} tensors, for programs that read the format {layout}.")
        case _:
            typer.echo("\n".join(_format_graph(_write_graph(found, weights, output, layout, overwrite))))


def _write_graph(found: ModelRef, weights: Path, output: Path, kind: GraphFormat, overwrite: bool) -> WrittenGraph:
    from restore.core.graphs.export import describe_graph, export_graph
    from restore.core.graphs.formats import require_packages
    from restore.core.hashing import hash_file
    from restore.core.weights.header import read_header

    require_packages(kind, f"--format {kind}")
    method, networks = found.open()
    metadata = describe_graph(method, found.header or read_header(weights), hash_file(weights))
    try:
        return export_graph(method, networks, output, kind, metadata, overwrite=overwrite)
    except NotExportable as error:
        raise NotExportable(f"{found.name} cannot be exported as a graph: {error}") from error


def _format_graph(written: WrittenGraph) -> list[str]:
    """Return what was written, line by line."""
    about = written.metadata
    inputs = " and ".join(_format_plane(each) for each in about["inputs"])
    step = about["multiple_of"]
    any_size = "any height and width" if step == 1 else f"height and width multiples of {step}"
    sizes = ", ".join(f"{width} x {height}" for height, width in written.sizes)
    return [
        f"Wrote {written.path}: {inputs} to {_format_plane(about['output'])}, scale {about['scale']:g}; {any_size}",
        f"  equal to torch within {written.difference:.1e} for images of {sizes} pixels",
    ]


def _format_plane(plane: dict[str, object]) -> str:
    return f"{plane['name']} (1, {plane['channels']}, H, W) in [{plane['low']:g}, {plane['high']:g}]"
