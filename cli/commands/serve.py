"""``restore serve``: a web page and an HTTP API for the models at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restore.core.errors import UsageError

SHORTEST_TOKEN = 16


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN|WEIGHTS|NAME",
            help="What to offer; unset: runs in runs/, weights that plugins ship, and classical methods.",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(metavar="HOST", help="Address to listen on; any but this machine's own needs --token."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Port to listen on; 0: any that is free.")
    ] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            envvar="RESTORE_TOKEN",
            help=f"Secret of the clients, at least {SHORTEST_TOKEN} characters; unset: a random one, which is printed.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Further name by which clients may call this server; repeat for several."),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    device: Annotated[str, typer.Option(metavar="NAME", help="Device to compute on: auto, cpu, cuda, cuda:1, mps.")] = (
        "auto"
    ),
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Folder with runs for the page to show; new trainings go to the first. Repeat for several.",
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Folder with images that trainings of the page may use; no other is opened. Repeat for several.",
        ),
    ] = None,
    trainings: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Trainings of the page that run at a time; others wait. 0: start none."),
    ] = 1,
    queue: Annotated[
        int, typer.Option(metavar="N", min=1, help="Images that wait or are processed at a time; more get status 429.")
    ] = 32,
    max_megabytes: Annotated[int, typer.Option(metavar="N", min=1, help="Largest upload in MB.")] = 100,
    max_megapixels: Annotated[
        float, typer.Option(metavar="N", min=0.001, help="Largest image in million pixels.")
    ] = 50,
    max_output_megapixels: Annotated[
        float, typer.Option(metavar="N", min=0.001, help="Largest result in million pixels.")
    ] = 256,
) -> None:
    """Serve a web page and an HTTP API on this machine, for runs, weights and classical methods."""
    from restore.core.pages.known_hosts import is_loopback

    try:
        from restore.cli.server.serving import ServerOptions, run_server
    except ModuleNotFoundError as error:
        if error.name != "werkzeug":
            raise
        raise UsageError("restore serve needs Werkzeug: pip install 'restorekit[ui]'") from None

    if token is None and not is_loopback(host):
        raise UsageError(
            f"--host {host} lets other machines use this one: its processor and disk, and the models that are served. "
            f"Choose a secret of at least {SHORTEST_TOKEN} characters with --token (or RESTORE_TOKEN)"
        )
    if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise UsageError(f"--token: expected at least {SHORTEST_TOKEN} printable ASCII characters")
    options = ServerOptions(
        models=tuple(models or ()),
        host=host,
        port=port,
        token=token,
        allow_host=tuple(allow_host or ()),
        device=device,
        runs=tuple(runs or ()),
        data=tuple(data or ()),
        trainings=trainings,
        queue=queue,
        max_bytes=max_megabytes * 10**6,
        max_pixels=max_megapixels * 1e6,
        max_output_pixels=max_output_megapixels * 1e6,
    )
    run_server(options, open_browser=open_browser)
