"""Names of the code bases that a task imports from, for completion."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from restore import registry


def codebase_names(entry: registry.Entry) -> list[str]:
    """What ``--from`` accepts for a task.

    Read off the source of the table where it is written out, since the functions in it take torch to import; only a
    table that is computed is imported.
    """
    reference = entry.details.get("imports")
    if not reference:
        return []
    return list(_written(str(reference))) or list(entry.locate("imports"))


def _written(reference: str) -> Iterator[str]:
    """Keys of the dictionary that a module assigns to an attribute, as far as they are plain text."""
    module, _, attribute = reference.partition(":")
    spec = find_spec(module)  # imports no more than the packages around it
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return
    for statement in ast.parse(Path(spec.origin).read_text("utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Dict) and any(isinstance(t, ast.Name) and t.id == attribute for t in targets):
            yield from (key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
