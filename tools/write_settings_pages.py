"""Write the pages of ``docs/settings``: every flag with its type, its default and its help.

    python tools/write_settings_pages.py

The texts come from the settings classes that the plugins of this distribution register; edit those, not the pages. A
test fails when the two differ.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from restore import registry
from restore.cli.settings.flags import Flags, find_sample_defaults
from restore.cli.settings.setting import Setting
from restore.cli.settings.types import format_limits, format_value, metavar
from restore.cli.task_options import EvaluateRequest, PredictRequest
from restore.core.setting_types import is_list, needs_json
from restore.core.settings import RunSettings, Settings

PAGES = Path(__file__).parents[1] / "docs" / "settings"
OPTIONAL = ("spandrel",)
"""Plugins whose architectures are there only with an extra; a page of their own lists them."""

DISTRIBUTION = "restorekit"
MARK = "<!-- written by: python tools/write_settings_pages.py -->"
HEAD = "| flag | type | default | |\n|---|---|---|---|"


def render_pages() -> dict[str, str]:
    """Return all pages by file name."""
    tasks = own_entries("tasks")
    families = {name: list(found) for name, found in groupby(tasks, key=lambda entry: entry.plugin)}
    pages = {f"{name}.md": render_family(name, found) for name, found in families.items()}
    pages |= {"common.md": render_common(), "registered.md": render_registered()}
    return {"index.md": render_index(families), **pages}


def own_entries(kind: registry.Kind) -> list[registry.Entry]:
    """Return what the plugins of this distribution register, whatever else is installed."""
    return [
        entry for entry in registry.entries(kind) if entry.distribution == DISTRIBUTION and entry.plugin not in OPTIONAL
    ]


def render_index(families: Mapping[str, Sequence[registry.Entry]]) -> str:
    """Return the page that leads to all others."""
    lines = [
        f"# Settings\n\n{MARK}\n",
        "Every setting is a flag, and a key in a `--config` file. These pages are written from the same texts as",
        "`--help`. `restore show NAME` prints the settings of one task, also those of plugins of other people.\n",
        "| page | |\n|---|---|",
        "| [common](common.md) | what every task has |",
    ]
    for name, entries in families.items():
        lines.append(f"| [{name}]({name}.md) | {', '.join(f'`{entry.name}`' for entry in entries)} |")
    lines += [
        "| [registered](registered.md) | architectures, datasets, losses, metrics and protocols, with their settings |",
        "",
        toctree(["common", *families, "registered"]),
    ]
    return "\n".join(lines) + "\n"


def toctree(pages: Iterable[str]) -> str:
    """Return a table of contents for the built site, in a comment that conf.py removes."""
    return "\n".join(["<!-- sphinx", "```{toctree}", ":hidden:", "", *pages, "```", "-->"])


def render_common() -> str:
    """Return the page of the settings that do not depend on the task."""
    parts = [
        f"# Settings of every task\n\n{MARK}\n",
        "## `restore train`\n",
        "A family may give a setting another default; its page lists those.\n",
        *tables(RunSettings, skip={("model",)}),
        "\n## `restore predict`\n",
        *tables(PredictRequest),
        "\n## `restore evaluate`\n",
        *tables(EvaluateRequest),
    ]
    families = {entry.plugin for entry in own_entries("tasks")}
    parts += render_commands(entry for entry in own_entries("commands") if entry.plugin not in families)
    return "\n".join(parts) + "\n"


def render_family(name: str, entries: Sequence[registry.Entry]) -> str:
    """Return the page of one plugin. Tasks with the same settings share their tables."""
    parts = [
        f"# Settings of {name}\n\n{MARK}\n",
        "[Settings of every task](common.md) are listed here only if their default differs.",
    ]
    for _, found in groupby(entries, key=lambda entry: sorted(entry.references.items())):
        alike = list(found)
        parts.append(f"\n## {', '.join(f'`{entry.name}`' for entry in alike)}\n")
        parts += [f"- `{entry.name}`: {escape(entry.summary)}" for entry in alike]
        parts += render_task(alike[0])
    parts += render_commands(entry for entry in own_entries("commands") if entry.plugin == name)
    return "\n".join(parts) + "\n"


def render_commands(entries: Iterable[registry.Entry]) -> Iterator[str]:
    """Yield the tables of the commands of plugins."""
    for entry in entries:
        yield f"\n## `restore {entry.name}`\n"
        yield f"{escape(entry.summary)}\n"
        yield from tables(entry.locate("settings"))


def render_task(entry: registry.Entry) -> Iterator[str]:
    """Yield the tables of one task: of training, prediction and evaluation."""
    assert isinstance(entry.spec, registry.TaskSpec)
    if entry.spec.trains:
        yield f"\n### `restore train {entry.name}`\n"
        yield from tables(entry.locate("settings"), common=RunSettings)
    for command in ("predict", "evaluate"):
        if command in entry.references:
            yield f"\n### `restore {command}`\n"
            yield from tables(entry.locate(command))


def render_registered() -> str:
    """Return the page of everything that settings can name."""
    parts = [
        f"# Registered names\n\n{MARK}\n",
        "What `--arch`, `--loss` and other settings accept by name, besides what other plugins register. A role is a",
        "contract that a task can rely on; `restore show NAME` prints it. [Hooks](../authors/hooks.md) says how to",
        "register something.",
    ]
    for kind in ("architectures", "losses", "datasets", "metrics", "protocols"):
        entries = own_entries(kind)
        parts += [f"\n## {kind.capitalize()}\n", "| name | role | |\n|---|---|---|"]
        parts += [f"| `{e.full_name}` | {getattr(e.spec, 'role', '')} | {escape(e.summary)} |" for e in entries]
        parts += [f"\n### Roles of {kind}\n", "| role | contract |\n|---|---|"]
        parts += [
            f"| {role} | {escape(contract.replace('``', '`'))} |" for role, contract in registry.ROLES[kind].items()
        ]
        for entry in entries:
            if "settings" in entry.references:
                parts += [f"\n### `{entry.full_name}`\n", *tables(entry.locate("settings"))]
    return "\n".join(parts) + "\n"


def tables(
    model: type[Settings], *, common: type[Settings] | None = None, skip: Iterable[tuple[str, ...]] = ()
) -> Iterator[str]:
    """Yield a table for each group of settings.

    Args:
        model: the settings class.
        common: leave out the settings that have the same default in this class.
        skip: settings to leave out.
    """
    flags = Flags(model)
    sample = find_sample_defaults(model, flags.settings)
    known = Flags(common).settings if common is not None else {}
    shown = [
        setting
        for path, setting in flags.settings.items()
        if path not in skip and (path not in known or path in sample or setting.default != known[path].default)
    ]
    # the settings without a group first, as one table
    for heading, found in groupby(sorted(shown, key=lambda s: bool(s.heading)), key=lambda s: s.heading):
        if heading:
            name, _, about = heading.partition(" - ")
            yield f"\n**{name}**{': ' + escape(about) if about else ''}\n"
        yield HEAD
        yield from (row(setting, flags.flags(setting.path), sample) for setting in found)
    if not shown:
        yield "No settings of its own."


def row(setting: Setting, flags: Sequence[str], sample: Mapping[tuple[str, ...], Any]) -> str:
    """Return the row of one setting."""
    names = ", ".join(f"`{flag}`" for flag in flags) if not setting.place else f"`{setting.place}`"
    kind = "yes or no" if setting.value_type is bool else code(metavar(setting.value_type))
    limits = format_limits(setting.info)
    repeated = "repeat for several" if is_list(setting.value_type) and not needs_json(setting.value_type) else ""
    kind = ", ".join(filter(None, [kind, escape(limits), repeated]))
    default = "" if setting.default in (None, PydanticUndefined) else code(format_value(setting.default))
    if setting.required:
        default = "required"
    if setting.path in sample:
        default = "; ".join(filter(None, [default, f"on the sample: {code(format_value(sample[setting.path]))}"]))
    text = " ".join(inspect.cleandoc(setting.info.description or "").split())
    return f"| {names} | {kind} | {default} | {escape(text)} |"


def code(text: str) -> str:
    """Return text as code for the cell of a table."""
    return f"`{text}`".replace("|", "\\|")


def escape(text: str) -> str:
    """Return text for the cell of a table: what Markdown would read as markup is escaped, code is kept."""
    parts = text.split("`")
    for place in range(0, len(parts), 2):
        parts[place] = re.sub(r"([\\|*<>\[\]$])", r"\\\1", parts[place])
    return "`".join(part.replace("|", "\\|") if place % 2 else part for place, part in enumerate(parts))


def main() -> None:
    """Replace all pages."""
    PAGES.mkdir(exist_ok=True)
    pages = render_pages()
    for path in PAGES.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (PAGES / name).write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":
    main()
