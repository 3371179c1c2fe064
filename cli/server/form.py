"""The options of a prediction as fields of a form: made from settings classes, and read back from text."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic_core import PydanticUndefined, to_jsonable_python

from restore.cli.settings.flags import decode
from restore.cli.settings.setting import Setting, SettingPath, list_settings
from restore.cli.settings.sources import Source
from restore.cli.settings.types import find_limits, list_choices
from restore.cli.task_options import PredictRequest
from restore.core.controls import Control, ControlPoints
from restore.core.errors import UsageError
from restore.core.setting_types import is_list, item_types
from restore.core.settings import ImagePath
from restore.registry.naming import did_you_mean

Kind = Literal["switch", "integer", "number", "choice", "choices", "text", "image", "mask", "points"]

ORIGIN = "the form"
"""Where values come from, in messages."""

COMMON = ("output_format", "quality", "output_scale", "fit", "self_ensemble", "precision", "frame")
"""Options of every prediction that a client may set; the server decides on the others."""


@dataclass(frozen=True)
class Field:
    """One option as a form shows it."""

    name: str
    """Dotted, such as ``masks.coverage``."""
    kind: Kind
    """image and mask are uploads; a mask has the size of the input and can be painted. points are JSON."""
    help: str
    group: str
    """Heading that it belongs below; empty for options of the task itself."""
    default: Any
    nullable: bool
    """Whether it may be unset."""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    open_below: bool = False
    """Whether the minimum itself is not allowed."""
    open_above: bool = False
    """Whether the maximum itself is not allowed."""
    control: Control | None = None
    """How the option is changed beside the result."""


@dataclass(frozen=True)
class Form:
    """The options of one settings class that can be sent to a server.

    Paths are left out: no client names a file of the server. Those with an `ImagePath` mark are uploads.
    """

    model: type[BaseModel]
    settings: Mapping[SettingPath, Setting]

    @classmethod
    def of(cls, model: type[BaseModel], only: Sequence[str] | None = None) -> Form:
        """Make the form of a settings class, or of the settings whose names are in ``only``."""
        found = (setting for setting in list_settings(model) if only is None or setting.name in only)
        return cls(model, {each.path: each for each in found if not _names_a_file(each)})

    def fields(self, group: str = "") -> Iterator[Field]:
        """Yield the fields; ``group`` is the heading of those that have none."""
        for setting in self.settings.values():
            yield _make_field(setting, group)

    def names(self) -> set[str]:
        """Return the names of all fields."""
        return {setting.name for setting in self.settings.values()}

    def uploads(self) -> set[str]:
        """Return the names of the fields that are files."""
        return {setting.name for setting in self.settings.values() if _upload_kind(setting)}

    def read(self, texts: Mapping[str, Sequence[str]], files: Mapping[str, Path]) -> Source:
        """Return the values of this form's fields among those that were sent, ready for validation.

        Args:
            texts: everything that was typed, by field; several for a list.
            files: uploads by field.

        Raises:
            UsageError: an upload was sent as text.
        """
        values: dict[SettingPath, Any] = {}
        for path, setting in self.settings.items():
            name = setting.name
            if name in files:
                values[path] = files[name]
            elif name in texts:
                if _upload_kind(setting):
                    raise UsageError(f"{name}: send an image file, not text")
                several = bool(item_types(setting.value_type)) and not setting.needs_json
                values[path] = decode(setting, list(texts[name]) if several else texts[name][-1])
        return Source(ORIGIN, values, {path: self.settings[path].name for path in values})


def refuse_unknown(names: set[str], known: set[str]) -> None:
    """Raise UsageError for a field that no form has."""
    if unknown := sorted(names - known):
        hint = did_you_mean(unknown[0], sorted(known)) or f"; there are: {', '.join(sorted(known))}"
        raise UsageError(f"{unknown[0]}: no such field{hint}")


def _upload_kind(setting: Setting) -> Literal["image", "mask"] | None:
    marks = (mark.kind for mark in setting.info.metadata if isinstance(mark, ImagePath))
    return next(marks, None) if setting.value_type is Path else None


def _names_a_file(setting: Setting) -> bool:
    """Return whether a value names a file or folder and is no upload."""
    kind = setting.value_type
    types = item_types(kind) or (kind if isinstance(kind, tuple) else [kind])
    return Path in types and _upload_kind(setting) is None


def _make_field(setting: Setting, group: str) -> Field:
    limits = find_limits(setting.info)
    default = None if setting.default is PydanticUndefined else to_jsonable_python(setting.default, fallback=str)
    return Field(
        name=setting.name,
        kind=_kind_of(setting),
        help=inspect.cleandoc(setting.info.description or ""),
        group=setting.heading or group,
        default=default,
        nullable=setting.may_be_none,
        choices=tuple(_choices_of(setting)),
        minimum=limits.get("ge", limits.get("gt")),
        maximum=limits.get("le", limits.get("lt")),
        open_below="gt" in limits,
        open_above="lt" in limits,
        control=_control_of(setting),
    )


def _control_of(setting: Setting) -> Control | None:
    return next((mark for mark in setting.info.metadata if isinstance(mark, Control)), None)


def _choices_of(setting: Setting) -> dict[str, Any]:
    kind = setting.value_type
    return list_choices(item_types(kind)[0]) if is_list(kind) else list_choices(kind)


def _kind_of(setting: Setting) -> Kind:
    kind = setting.value_type
    if upload := _upload_kind(setting):
        return upload
    if isinstance(_control_of(setting), ControlPoints):
        return "points"
    if kind is bool:
        return "switch"
    if kind is int:
        return "integer"
    if kind is float:
        return "number"
    members = kind if isinstance(kind, tuple) else (kind,)
    if all(list_choices(member) for member in members):
        return "choice"
    return "choices" if is_list(kind) and list_choices(item_types(kind)[0]) else "text"


COMMON_FORM = Form.of(PredictRequest, COMMON)
"""The options of every prediction."""
