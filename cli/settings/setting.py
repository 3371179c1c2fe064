"""The single settings in a settings class: name, type and default of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from restore.core.setting_types import needs_json, union_members, unwrap
from restore.core.settings import Flag, Positional, default_of

SettingPath = tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """One value of a settings class, which is no group."""

    path: SettingPath
    info: FieldInfo
    default: Any
    """The value without any file or flag; ``PydanticUndefined`` if there is none or it depends on other values."""
    heading: str
    """Name and description of its group, for the help; empty for a setting of the class itself."""
    value_type: Any
    """The type without ``None`` and without annotations."""
    needs_json: bool
    """Whether the value is too complex for words and is typed as JSON."""
    may_be_none: bool
    """Whether ``None`` is a valid value."""

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
        """Names from ``Flag`` marks, such as ``--scale`` for ``--model.scale``."""
        return [mark.name for mark in self.info.metadata if isinstance(mark, Flag)]

    @property
    def place(self) -> str | None:
        """Its name in the usage line if it is typed without a flag, from a ``Positional`` mark."""
        return next((mark.shown for mark in self.info.metadata if isinstance(mark, Positional)), None)

    @property
    def label(self) -> str:
        """Its name in errors: place or flag."""
        return self.place or self.dotted_flag

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is PydanticUndefined and self.info.is_required()


def list_settings(
    model: type[BaseModel], prefix: SettingPath = (), default: BaseModel | None = None, about: str = ""
) -> Iterator[Setting]:
    """Yield every setting of a class with its effective default: a group's default instance beats its class.

    Args:
        model: the settings class.
        prefix: path of the class, if it is a group in another one.
        default: instance that holds the defaults; None: those of the class.
        about: description of the group.
    """
    heading = ".".join(prefix) + (f" - {about}" if about else "")
    for name, info in model.model_fields.items():
        value = getattr(default, name) if default is not None else default_of(info)
        group = group_of(info)
        if group is None:
            value_type = unwrap(info.annotation)
            yield Setting(
                path=(*prefix, name),
                info=info,
                default=value,
                heading=heading,
                value_type=value_type,
                needs_json=needs_json(value_type),
                may_be_none=type(None) in union_members(info.annotation),
            )
        else:
            inner = value if isinstance(value, BaseModel) else None
            yield from list_settings(group, (*prefix, name), inner, (info.description or "").strip().rstrip("."))


def group_of(info: FieldInfo) -> type[BaseModel] | None:
    """Return the settings class of a field that is a group of settings or an optional group, else None.

    If the default has further settings, such as those of an architecture, it is the class of the default.
    """
    kind = unwrap(info.annotation)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return None
    default = default_of(info)
    return type(default) if isinstance(default, kind) else kind
