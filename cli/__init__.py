"""The command line: finds, dispatches, shows. Importing it costs nothing; ``main`` is the ``restore`` command."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the ``restore`` command and leave with its exit status."""
    import sys
    from io import TextIOWrapper

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows few characters is no reason to fail
    try:
        from restore.cli.app import app

        app(prog_name="restore")
    except KeyboardInterrupt:  # typed so early that nobody else could answer it
        raise SystemExit(130) from None
