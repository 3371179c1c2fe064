"""The metrics and protocols that plugins register, built for a method from what was typed: ``NAME,setting=value``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restore import registry
from restore.cli.settings.flags import decode
from restore.cli.settings.setting import list_settings
from restore.cli.settings.sources import Source, validate
from restore.cli.settings.task_settings import load_settings_class, name_plugin, plugin_errors
from restore.core.errors import RestoreError, UsageError
from restore.core.named import parse_named
from restore.core.settings import Settings
from restore.registry.naming import close_matches

if TYPE_CHECKING:
    from restore.core.method import Method
    from restore.core.metrics import EvaluationProtocol, NamedMetric


class BrokenMetric(RestoreError):
    """A plugin registers a metric or a protocol that cannot be made."""


def find_metric(text: str, method: Method) -> NamedMetric:
    """Build a registered metric and try it on small images.

    Args:
        text: its name, and its settings if any.
        method: what is measured.

    Raises:
        UsageError: nothing of the name is registered, it does not fit the method, it breaks its contract, or a setting
            is wrong.
        RegistryError: its plugin cannot be used.
    """
    from restore.core.metric_contracts import check_metric
    from restore.core.metrics import NamedMetric

    entry, typed = find_entry("metrics", text, method)
    role = str(getattr(entry.spec, "role", ""))
    given = {"num_classes": _number_of_classes(method)} if role == "segmentation" else {}
    metric = _build(entry, typed, given)
    check_metric(metric, role, entry.full_name, given=given)
    key = ",".join([entry.full_name, *(f"{setting}={value}" for setting, value in typed.items())])
    return NamedMetric(key, metric, entry.plugin, entry.requirement)


def find_registered_protocol(text: str, method: Method, *, check: bool = True) -> EvaluationProtocol:
    """Build a registered protocol and, unless this was done before, try its metrics on small images.

    Arguments and errors as `find_metric`.
    """
    from restore.core.metric_contracts import check_protocol

    entry, typed = find_entry("protocols", text, method)
    role = str(getattr(entry.spec, "role", ""))
    given: dict[str, Any] = {}
    if role in ("image", "super-resolution"):
        given = {"scale": method.outputs[method.main_output].scale}
    elif role == "segmentation":
        given = {"num_classes": _number_of_classes(method)}
    protocol: EvaluationProtocol = _build(entry, typed, given)
    if check:
        check_protocol(protocol, role, entry.full_name, given=given)
    return protocol


def find_entry(kind: str, text: str, method: Method) -> tuple[registry.Entry, dict[str, Any]]:
    """Return what is registered under a name and fits a method, and its settings as typed. Errors as `find_metric`."""
    try:
        typed = parse_named(text, "name")
        name = str(typed.pop("name", ""))
    except ValueError as error:
        raise UsageError(str(error)) from error
    roles = method.metric_roles
    try:
        entry = registry.entry(kind, name, roles=roles)
    except (registry.UnknownName, registry.AmbiguousName, registry.WrongRole) as error:
        raise UsageError(str(error)) from error
    if not roles:
        raise UsageError(f"{entry.full_name} compares an output with its target, which {type(method).__name__} has not")
    return entry, typed


def _number_of_classes(method: Method) -> int:
    return method.outputs[method.main_output].channels


def _build(entry: registry.Entry, typed: dict[str, Any], given: dict[str, Any]) -> Any:
    """Call the factory of an entry with the arguments of its role and the values of its settings."""
    options = _read_settings(entry, typed)
    own = {name: getattr(options, name) for name in type(options).model_fields}
    factory = entry.load()
    try:
        return factory(**given, **own)
    except RestoreError:
        raise  # written for the user
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise BrokenMetric(f"{entry.full_name} cannot be made: {told}. {name_plugin(entry)}") from error


def _read_settings(entry: registry.Entry, typed: dict[str, Any]) -> Settings:
    model = load_settings_class(entry, "settings", Settings) if "settings" in entry.references else Settings
    with plugin_errors(entry):
        known = {setting.name: setting for setting in list_settings(model)}
    for name in typed:
        if name not in known:
            close = " or ".join(map(repr, close_matches(name, known)))
            hint = f"did you mean {close}?" if close else f"it has {', '.join(known) or 'none'}"
            raise UsageError(f"{entry.full_name} has no setting '{name}'; {hint}")
    values = {known[name].path: decode(known[name], value) for name, value in typed.items()}
    labels = {known[name].path: f"{entry.full_name},{name}" for name in typed}
    return validate(model, [Source("the command line", values, labels)])
