"""The models that a server offers, each under an identifier that is no path."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from restore import registry
from restore.cli.model_ref import ModelRef, list_models, resolve_model
from restore.cli.server.form import COMMON_FORM, Field, Form
from restore.cli.settings.task_settings import load_settings_class
from restore.core.errors import RestoreError, UsageError
from restore.core.settings import Settings
from restore.registry.naming import did_you_mean

FRESH = 2.0
"""Seconds for which the list of models is not looked up again."""


class UnknownModel(UsageError):
    """A client asks for a model that is not offered."""


@dataclass(frozen=True)
class ServedModel:
    """One model with the options that it takes."""

    id: str
    """Its name in addresses: letters, digits, ``-``, ``_`` and ``.``"""
    ref: ModelRef
    form: Form

    @property
    def kind(self) -> str:
        """``weights`` or ``classical``."""
        return "classical" if self.ref.weights is None else "weights"

    def fields(self) -> Iterator[Field]:
        """Yield the fields of its form: options of the task, then those of every prediction."""
        yield from self.form.fields()
        yield from COMMON_FORM.fields("output")


class Catalog:
    """What a server offers: the models that it was started with, or else all that are at hand.

    Args:
        names: what the user named; empty: runs in ``runs/``, weights that plugins ship, and classical methods.

    Raises:
        RestoreError, RegistryError: a model that was named cannot be used.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._lock = threading.Lock()
        self._read: float | None = None
        self._models: dict[str, ServedModel] = {}
        self._problems: list[str] = []
        if names:
            self._models = _by_id([_serve(name) for name in names])

    def models(self) -> dict[str, ServedModel]:
        """Return the models by identifier."""
        if not self._names:
            with self._lock:
                if self._read is None or time.monotonic() - self._read > FRESH:
                    self._refresh()
                    self._read = time.monotonic()
        return self._models

    def problems(self) -> list[str]:
        """Return why models that were found are not offered."""
        self.models()
        return self._problems

    def find(self, identifier: str) -> ServedModel:
        """Return a model. Raises UnknownModel if it is not offered."""
        models = self.models()
        if identifier not in models:
            hint = did_you_mean(identifier, list(models)) or ". GET /api/models lists what there is"
            raise UnknownModel(f"no model is called {identifier!r}{hint}")
        return models[identifier]

    def _refresh(self) -> None:
        found, problems = [], []
        for name, _ in list_models():
            try:
                found.append(_serve(name))
            except (RestoreError, registry.RegistryError) as error:
                problems.append(f"{name}: {error}")
        self._models, self._problems = _by_id(found), problems


def _serve(name: str) -> ServedModel:
    ref = resolve_model(name)
    options = load_settings_class(ref.entry, "predict", Settings) if "predict" in ref.entry.references else Settings
    return ServedModel(name, ref, Form.of(options))


def _by_id(found: Sequence[ServedModel]) -> dict[str, ServedModel]:
    models: dict[str, ServedModel] = {}
    for model in found:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", model.ref.name.removeprefix("runs/").removesuffix(".safetensors"))
        stem = stem.strip("-.") or "model"
        number, identifier = 1, stem
        while identifier in models:
            number += 1
            identifier = f"{stem}-{number}"
        models[identifier] = ServedModel(identifier, model.ref, model.form)
    return models
