"""Write the example plugins: what ``restore new-plugin`` makes of its templates.

    python tools/write_examples.py

The templates are in ``cli/templates``; edit them, not the examples. A test fails when the two differ.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from restore.cli.commands.new_plugin import VariantName, render_plugin

EXAMPLES = Path(__file__).parents[1] / "examples"
PLUGINS: dict[str, VariantName] = {
    "upsample": "super-resolution",
    "denoise": "restoration",
    "infill": "inpainting",
    "outline": "segmentation",
    "lighten": "blank",
}
"""The variant of each example."""


def render_example(name: str) -> dict[str, str]:
    """Return the files of an example by path, without the license, which is that of this repository."""
    texts = render_plugin(name, PLUGINS[name])
    return {path: text for path, text in texts.items() if path != "LICENSE"}


def main() -> None:
    """Replace all example plugins."""
    for name in PLUGINS:
        folder = EXAMPLES / f"restore-{name}"
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in render_example(name).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":
    main()
