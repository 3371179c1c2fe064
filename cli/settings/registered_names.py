"""Look up the names of registered things that settings hold, and find out which plugins a run needs."""

from __future__ import annotations

from collections.abc import Sequence

from restore import registry
from restore.cli.settings.setting import list_settings
from restore.cli.settings.sources import COMMAND_LINE, Source, find_origins
from restore.core.errors import UsageError
from restore.core.named import parse_named
from restore.core.settings import Settings, find_registered_names


def find_needed_plugins(
    task: registry.Entry, settings: Settings, sources: Sequence[Source] = ()
) -> dict[str, str | None]:
    """Return the requirement of every plugin that the networks need, as ``{"srgan": "restorekit==0.1.0"}``.

    Args:
        task: the task.
        settings: its settings, whose registered names are looked up.
        sources: where they came from, for errors.

    Raises:
        UsageError: nothing of a name is registered, or not for what it has to do; the message names the flag.
        RegistryError: the plugin that has it cannot be used.
    """
    needed = {task.plugin: task.requirement}
    labels = {setting.path: setting.label for setting in list_settings(type(settings))}
    typed_as = {path: flag for source in sources for path, flag in source.typed_as.items()}
    for path, mark, name in find_registered_names(settings):
        flag = typed_as.get(path) or labels.get(path) or ".".join(path)
        origin = find_origins(sources).get(path, "the defaults")
        end = f"(got {name}, from {origin})"
        try:
            found = registry.entry(mark.kind, str(parse_named(name, "name").get("name")), roles=mark.roles)
        except ValueError as error:
            raise UsageError(f"{flag}: {error} {end}") from error
        except (registry.UnknownName, registry.AmbiguousName, registry.WrongRole) as error:
            if mark.kind == "listeners" and origin != COMMAND_LINE:  # such as a run that is resumed elsewhere
                end += f"\nTo train without listeners: {flag} none"
            raise UsageError(f"{flag}: {error} {end}") from error
        if found.kind not in ("listeners", "metrics"):  # weights do not need those of their run
            needed[found.plugin] = found.requirement
    return dict(sorted(needed.items()))
