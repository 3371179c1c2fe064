"""Groups of settings that name something registered, such as an architecture, and have its settings too.

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import ValidationInfo, create_model, field_validator, model_validator
from typing_extensions import override

from restore import registry
from restore.core.named import NamedSettings, parse_named
from restore.core.settings import RegisteredName, Settings


class RegisteredSettings(NamedSettings):
    """Settings of something that is chosen by its registered name; its own settings stand beside the name.

    A subclass has one field with a `RegisteredName` mark and a name as its default. What is registered under the name
    may have a settings class; its fields become fields of the group, so flags, files and weights hold both::

        class Generator(RegisteredSettings):
            architecture: Annotated[str, RegisteredName("architectures")] = "srgan/msrresnet"

        Generator(architecture="srgan/compact", channels=16)

    Use ``Field(default_factory=Generator)`` for a field of this type: the registry is then asked when settings are made
    and not when their module is imported.
    """

    unspecialized: ClassVar[type[RegisteredSettings] | None] = None
    """The class without the settings of what is named; None for that class itself."""
    own_settings: ClassVar[tuple[str, ...]] = ()
    """Names of the settings that what is named has."""

    def __new__(cls, **values: Any) -> Self:
        """Make an instance of the class that belongs to the name."""
        return object.__new__(cls.specialized(values))

    @override
    @classmethod
    def specialized(cls, values: Mapping[str, Any]) -> type[Self]:
        field, mark = _name_field(cls)
        name = values.get(field, cls.model_fields[field].default)
        if not isinstance(name, str) or (field not in values and cls.unspecialized is not None):
            return cls
        try:
            entry = registry.entry(mark.kind, name, roles=mark.roles)
        except registry.RegistryError:
            return cls  # the validator of the name says what is wrong
        settings = entry.locate("settings") if "settings" in entry.references else Settings
        return _specialize(cls.unspecialized or cls, entry.full_name, settings)  # type: ignore[return-value]

    @model_validator(mode="wrap")
    @classmethod
    def _validate_by_name(cls, values: Any, handler: Callable[[Any], Any]) -> Any:
        if isinstance(values, str):
            values = parse_named(values, _name_field(cls)[0])
        if not isinstance(values, Mapping):
            return handler(values)
        fitting = cls.specialized(values)
        if fitting is not cls:
            return fitting.model_validate(values)
        if cls.unspecialized is None:  # nothing has the name, so nothing is known of the other settings
            values = {name: value for name, value in values.items() if name in cls.model_fields}
        return handler(values)

    @field_validator("*", mode="before")
    @classmethod
    def _complete_name(cls, value: Any, info: ValidationInfo) -> Any:
        field, mark = _name_field(cls)
        if info.field_name != field or not isinstance(value, str):
            return value
        try:
            return registry.entry(mark.kind, value, roles=mark.roles).full_name
        except registry.RegistryError as error:
            raise ValueError(str(error)) from error

    @override
    def values_below(self, values: Mapping[str, Any]) -> dict[str, Any]:
        field, _ = _name_field(type(self))
        name = getattr(self, field)
        kept = {field: name, **super().values_below(values)}
        if type(self).specialized({field: values.get(field, name)}) is not type(self):
            return {key: value for key, value in kept.items() if key not in (field, *self.own_settings)}
        return kept

    def own_values(self) -> dict[str, Any]:
        """Return the values of the settings that what is named has: arguments to build it with."""
        return {name: getattr(self, name) for name in self.own_settings}

    @classmethod
    def full_name_in(cls, values: Mapping[str, Any]) -> str:
        """Return the full name that values choose, which may be those of a user; as it stands if nothing has it."""
        field, mark = _name_field(cls)
        name = str(values.get(field, cls.model_fields[field].default))
        try:
            return registry.entry(mark.kind, name, roles=mark.roles).full_name
        except registry.RegistryError:
            return name

    @property
    def full_name(self) -> str:
        """Full name of what is chosen: ``srgan/compact``."""
        return str(getattr(self, _name_field(type(self))[0]))

    @property
    def role(self) -> str:
        """The role that it is registered for, such as ``pixel``."""
        _, mark = _name_field(type(self))
        return str(registry.entry(mark.kind, self.full_name).spec.role)  # type: ignore[attr-defined]

    def load(self) -> Any:
        """Import and return what is named, such as the class of a network."""
        _, mark = _name_field(type(self))
        return registry.get(mark.kind, self.full_name)


def _name_field(cls: type[Settings]) -> tuple[str, RegisteredName]:
    """Return the field that holds the name, and its mark."""
    for name, info in cls.model_fields.items():
        for mark in info.metadata:
            if isinstance(mark, RegisteredName):
                return name, mark
    raise TypeError(f"{cls.__name__} has no field with a RegisteredName mark")


@cache
def _specialize(group: type[RegisteredSettings], name: str, settings: type[Settings]) -> type[RegisteredSettings]:
    """Make the class of a group with the settings of what is called ``name``."""
    taken = sorted(group.model_fields.keys() & settings.model_fields.keys())
    if taken:
        raise TypeError(
            f"{name}: its settings class {settings.__name__} has {', '.join(taken)}, which {group.__name__} has already"
        )
    field, _ = _name_field(group)
    info = group.model_fields[field]
    bases = (group,) if settings is Settings else (settings, group)  # the fields of the group come first
    made = create_model(
        group.__name__,
        __base__=bases,
        __module__=group.__module__,
        **{field: (info.annotation, name)},  # type: ignore[call-overload]
    )
    made.__doc__ = group.__doc__
    made.unspecialized, made.own_settings = group, tuple(settings.model_fields)
    return made  # type: ignore[no-any-return]
