"""The leaves of a settings class: what each is called, what it is, and its default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from restore.cli.settings.kinds import alternatives, is_json, is_path, items_of, plain
from restore.core.errors import UsageError
from restore.core.settings import Flag, Positional

SettingPath = tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """One leaf of a settings class."""

    path: SettingPath
    info: FieldInfo
    default: Any
    """The value without any file or flag; ``PydanticUndefined`` where there is none or it depends on other values."""
    heading: str
    """Name of its group and what that is, for the help; empty for a setting of the class itself."""

    @property
    def name(self) -> str:
        """Dotted name, as in a file: ``optimizer.lr``."""
        return ".".join(self.path)

    @property
    def dotted_flag(self) -> str:
        """``--optimizer.lr``."""
        return "--" + self.name.replace("_", "-")

    @property
    def short_flags(self) -> list[str]:
        """Names from ``Flag`` marks, as ``--scale`` for ``--model.scale``."""
        return [mark.name for mark in self.info.metadata if isinstance(mark, Flag)]

    @property
    def place(self) -> str | None:
        """What stands for it in the usage line if it is typed without a flag, from a ``Positional`` mark."""
        return next((mark.shown for mark in self.info.metadata if isinstance(mark, Positional)), None)

    @property
    def called(self) -> str:
        """What errors call it: its place or its flag."""
        return self.place or self.dotted_flag

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is PydanticUndefined and self.info.is_required()

    @cached_property
    def kind(self) -> Any:
        """The type without ``None`` and without annotations."""
        return plain(self.info.annotation)

    @property
    def is_json(self) -> bool:
        """Whether the value is too rich for words and is typed as JSON."""
        return is_json(self.kind)

    @property
    def may_be_none(self) -> bool:
        """Whether ``None`` is a value of the setting."""
        return type(None) in alternatives(self.info.annotation)


def refuse_empty_path(value: Any, kind: Any, called: str) -> None:
    """Raise ``UsageError`` where an empty text stands for a path or among several: it would mean the current folder."""
    kinds = items_of(kind) or [kind]
    if "" in (value if isinstance(value, (list, tuple)) else [value]) and any(map(is_path, kinds)):
        raise UsageError(f"{called}: is empty; name a file or a folder ('.' is the current one)")


def settings_of(
    model: type[BaseModel], prefix: SettingPath = (), default: BaseModel | None = None, about: str = ""
) -> Iterator[Setting]:
    """Every leaf of a settings class with its effective default: a group's default instance beats its class."""
    heading = ".".join(prefix) + (f" - {about}" if about else "")
    for name, info in model.model_fields.items():
        value = getattr(default, name) if default is not None else default_of(info)
        group = group_of(info.annotation)
        if group is None:
            yield Setting((*prefix, name), info, value, heading)
        else:
            inner = value if isinstance(value, BaseModel) else None
            yield from settings_of(group, (*prefix, name), inner, (info.description or "").strip().rstrip("."))


def group_of(annotation: Any) -> type[BaseModel] | None:
    """The settings class of a field that is a group of settings, or of an optional one."""
    kinds = [kind for kind in alternatives(annotation) if kind is not type(None)]
    if len(kinds) == 1 and isinstance(kinds[0], type) and issubclass(kinds[0], BaseModel):
        return kinds[0]
    return None


def default_of(info: FieldInfo) -> Any:
    """A field's default, or ``PydanticUndefined`` where it has none or makes it from other fields."""
    if getattr(info, "default_factory_takes_validated_data", False):
        return PydanticUndefined
    return info.get_default(call_default_factory=True)
