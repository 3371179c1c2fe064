"""The command line: finds, dispatches, shows. Importing it costs nothing; ``main`` is the ``restore`` command."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the ``restore`` command and leave with its exit status."""
    from restore.cli.app import app

    app(prog_name="restore")
