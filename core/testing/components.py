"""Checks of what a plugin registers besides tasks, each by its role: architectures, losses, metrics, datasets, …"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from restore.core.contracts import CONTRACTS, UnfitForRole, check_architecture
from restore.core.dataset_contracts import CONTRACTS as DATASET_CONTRACTS
from restore.core.dataset_contracts import check_dataset
from restore.core.errors import UsageError, WeightsError
from restore.core.loss_contracts import find_loss_problem
from restore.core.metric_contracts import check_metric, check_protocol
from restore.core.testing.under_test import ContractBroken, NotApplicable, RegisteredEntry, require
from restore.core.weights.header import read_header
from restore.core.weights.unwrap import CheckpointState

GIVEN: Mapping[str, Mapping[str, Any]] = {
    "super-resolution": {"scale": 2},
    "segmentation": {"input_channels": 3, "num_classes": 2},
    "autoencoder": {"latent": 3, "scale": 2, "variational": True},
    "warping": {"size": 64, "style": 3},
    "discriminator": {"crop_size": 64},
    "inpainting-discriminator": {"crop_size": 64},
    "identity-discriminator": {"size": 64, "identities": 2},
}
"""The arguments that a role promises to the factories of its networks."""

PROTOCOL_GIVEN: Mapping[str, Mapping[str, Any]] = {"image": {"scale": 2.0}, "segmentation": {"num_classes": 2}}
"""The arguments that a role promises to the factories of its protocols."""

ONE_SIZE = ("warping", "discriminator", "inpainting-discriminator", "identity-discriminator")
"""Roles whose networks may accept images of the size alone that they were built for."""

GIVEN_TO_DATASETS: Mapping[str, Mapping[str, Any]] = {
    "images": {},
    "super-resolution": {"scale": 2, "crop_size": 32},
    "restoration": {"crop_size": 32},
    "inpainting": {"crop_size": 32},
    "segmentation": {},
}
"""The arguments, besides those of every role, that a role promises to the factories of its datasets."""


def check_component(entry: RegisteredEntry) -> None:
    """Check that something registered does what its role promises.

    Args:
        entry: registration of an architecture, a loss, a metric, a protocol, a dataset, a converter or weights.

    Raises:
        ContractBroken: it does not; the message says what it does instead.
        NotApplicable: nothing can be said, such as about an object that cannot be built from its settings alone.
    """
    try:
        CHECKS[entry.spec.kind](entry)
    except UnfitForRole as error:
        raise ContractBroken(str(error)) from error


def _build(entry: RegisteredEntry, *, must: bool, **given: Any) -> Any:
    """Call a factory with the arguments of its role and the defaults of its settings.

    Raises ContractBroken if it needs other arguments, or NotApplicable unless it ``must`` do without.
    """
    factory, values = entry.load(), dict(given)
    require(callable(factory), f"{factory!r} is not callable, so nothing can be built with it")
    if "settings" in entry.references:
        settings = entry.locate("settings")()
        values |= {name: getattr(settings, name) for name in type(settings).model_fields}
    try:
        inspect.signature(factory).bind(**values)
    except (TypeError, ValueError) as error:
        called = f"it cannot be built with {', '.join(values) or 'no argument'}: {error}"
        if must:
            raise ContractBroken(f"{called}; register settings= with its other arguments") from error
        raise NotApplicable(called) from error
    return factory(**values)


def _check_architecture(entry: RegisteredEntry) -> None:
    role = entry.spec.role
    if role not in CONTRACTS:
        raise NotApplicable(f"networks of the role {role} are tried by their tasks only")
    given = GIVEN.get(role, {})
    network = _build(entry, must=True, **given)
    require(isinstance(network, nn.Module), f"it builds {type(network).__name__}, not a torch.nn.Module")
    input_size = (64, 64) if role in ONE_SIZE else None
    check_architecture(network, role, entry.full_name, given=given, input_size=input_size)


def _check_loss(entry: RegisteredEntry) -> None:
    role = entry.spec.role
    if role not in ("pixel", "inpainting", "segmentation", "adversarial"):
        raise NotApplicable(f"losses of the role {role} are tried by their tasks only")
    loss = _build(entry, must=False)
    try:
        problem = find_loss_problem(loss, role)
    except ValueError as error:
        raise NotApplicable(f"it refuses targets of this form: {error}") from error
    require(not problem, problem)


def _check_metric(entry: RegisteredEntry) -> None:
    role = entry.spec.role
    if getattr(entry.spec, "fetches", False):
        raise NotApplicable("building it may fetch weights")
    given = {"num_classes": 2} if role == "segmentation" else {}
    check_metric(_build(entry, must=True, **given), role, entry.full_name, given=given)


def _check_protocol(entry: RegisteredEntry) -> None:
    role = entry.spec.role
    given = PROTOCOL_GIVEN.get(role, {})
    check_protocol(_build(entry, must=True, **given), role, entry.full_name, given=given)


def _check_dataset(entry: RegisteredEntry) -> None:
    role = entry.spec.role
    if role not in DATASET_CONTRACTS:
        raise NotApplicable(f"no task can name a dataset of role {role}")
    for split in ("train", "validation", "evaluation"):
        given = {"split": split, "folder": None, "val_fraction": 0.1, "seed": 0, **GIVEN_TO_DATASETS[role]}
        try:
            check_dataset(_build(entry, must=True, **given), role, entry.full_name, given=given)
        except UnfitForRole:
            raise
        except UsageError as error:  # such as one that needs a folder
            raise NotApplicable(str(error)) from error


def _check_converter(entry: RegisteredEntry) -> None:
    """Check that a converter refuses what is nobody's, with an error that says so."""
    state = CheckpointState({"nobody.knows.this.weight": torch.zeros(1)})
    try:
        found = entry.load()(state)
    except (WeightsError, ValueError) as error:
        require(bool(str(error)), f"it refuses a checkpoint with {type(error).__name__}, but without a word")
        return
    raise ContractBroken(f"it recognizes a checkpoint of nobody's network, as {type(found).__name__}")


def _check_weights(entry: RegisteredEntry) -> None:
    path = entry.load()
    require(isinstance(path, Path), f"it refers to {path!r}, not to a pathlib.Path")
    card = read_header(path).card
    for name, meaning in (("data", "what they were trained on"), ("license", "whether they can be passed on")):
        require(bool(card.get(name)), f"the card of {path.name} has no {name!r}, which says {meaning}")


CHECKS: Mapping[str, Callable[[RegisteredEntry], None]] = {
    "architectures": _check_architecture,
    "losses": _check_loss,
    "metrics": _check_metric,
    "protocols": _check_protocol,
    "datasets": _check_dataset,
    "converters": _check_converter,
    "weights": _check_weights,
}
"""The check of each kind."""
