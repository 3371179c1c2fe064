"""Recognize weights of spandrel's architectures by their keys. Imports spandrel only when it is asked."""

from __future__ import annotations

import inspect
import json
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from restore.core.errors import WeightsError
from restore.core.weights.trials import Conversion
from restore.core.weights.unwrap import CheckpointState
from restore.plugins.spandrel.catalog import BY_ID, LEFT_OUT, Architecture
from restore.plugins.spandrel.settings import to_json

if TYPE_CHECKING:
    from restore.plugins.spandrel.networks import Descriptor

MISSING = "spandrel is not installed, which knows 41 more architectures: pip install 'restorekit[spandrel]'"
LAMA_WINDOW = 512
"""Side of the windows around holes, in pixels: LaMa was trained on 256 and is used on twice that."""
_LAMA = "model.1.bn_l.running_mean"


def recognize(state: CheckpointState) -> Conversion:
    """Return the task, the settings and the parameters of a checkpoint of an architecture of spandrel.

    Only tensors are given to spandrel, which detects the architecture by their names and reads its size off their
    shapes; no file is opened by it.

    Raises:
        WeightsError: spandrel is missing, knows no such keys, or the tensors do not fit the architecture that has them.
    """
    if find_spec("spandrel") is None:
        raise WeightsError(MISSING)
    from restore.plugins.spandrel.nearest import describe_nearest
    from restore.plugins.spandrel.networks import channels_problem

    tensors, notes = _prepare(state)
    identifier = _detect(tensors)
    if identifier is None:
        nearest = describe_nearest(tensors)
        said = f"none of the {len(BY_ID)} architectures of spandrel has these keys"
        raise WeightsError(f"{said}; {nearest}" if nearest else said)
    if identifier in LEFT_OUT:
        raise WeightsError(f"the file holds {identifier}: {LEFT_OUT[identifier]}")
    architecture = BY_ID.get(identifier)
    if architecture is None:
        raise WeightsError(f"spandrel calls it {identifier}, which this version of restore does not know")
    descriptor = _load(identifier, tensors)
    if problem := channels_problem(descriptor):
        raise WeightsError(f"{identifier}: {problem}")
    return _convert(architecture, descriptor, [*notes, *_remarks(descriptor)])


def _prepare(state: CheckpointState) -> tuple[dict[str, Tensor], list[str]]:
    """Return the tensors as spandrel expects them, and notes on what was changed."""
    tensors, notes = dict(state.tensors), []
    if "pro" in state.others:  # of Real-CUGAN: no tensor, but its presence chooses the network
        tensors["pro"] = torch.zeros(1)
    found = [key for key in tensors if key.endswith(_LAMA)]
    if len(found) == 1 and not found[0].startswith("model.model."):
        prefix = f"{found[0].removesuffix(_LAMA)}model."
        own = {
            f"model.{key.removeprefix(prefix[:-6])}": value for key, value in tensors.items() if key.startswith(prefix)
        }
        if len(own) < len(tensors):
            notes.append(f"used: the parameters of {prefix} ({len(tensors) - len(own)} others left out)")
        tensors = own
    return tensors, notes


def _detect(tensors: dict[str, Tensor]) -> str | None:
    """Return the name of the first architecture of spandrel that has these keys; None if none has."""
    from spandrel import MAIN_REGISTRY

    for support in MAIN_REGISTRY.architectures("detection"):
        if support.detect(tensors):
            return str(support.architecture.id)
    return None


def _load(identifier: str, tensors: dict[str, Tensor]) -> Descriptor:
    from spandrel import MAIN_REGISTRY

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how spandrel's code uses torch
            descriptor: Descriptor = MAIN_REGISTRY.load(dict(tensors))
    except Exception as error:
        first, *rest = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        said = " ".join([first, *rest[:2]])
        raise WeightsError(f"has the keys of {identifier}, but does not fit it: {said[:600]}") from error
    return descriptor


def _convert(architecture: Architecture, descriptor: Descriptor, notes: list[str]) -> Conversion:
    """Return what rebuilds the network of a descriptor."""
    from restore.plugins.spandrel.networks import list_classes

    network = descriptor.model
    parameters = _storable(architecture, network)
    model: dict[str, Any] = {
        "architecture": f"spandrel/{architecture.name}",
        "variant": next(name for name, found in list_classes(architecture).items() if found is type(network)),
        "parameters": parameters,
    }
    task = "restorer/restorer"
    if architecture.role == "inpainting":
        task, model["window"] = "inpaint_gan/inpaint-gan", LAMA_WINDOW
    elif descriptor.scale > 1:
        task, model["scale"] = "srgan/srgan", descriptor.scale
    return Conversion(
        task,
        model,
        {f"network.{key}": tensor for key, tensor in network.state_dict().items()},
        of_only_network=True,
        notes=notes,
        versions={"spandrel": version("spandrel")},
        plugins={"spandrel": f"spandrel=={version('spandrel')}"},
        card={"code license": f"{architecture.license} ({architecture.id} in spandrel)"},
    )


def _storable(architecture: Architecture, network: nn.Module) -> dict[str, Any]:
    """Return the arguments that rebuild a network, without classes and functions that are its defaults."""
    defaults = inspect.signature(type(network)).parameters
    parameters: dict[str, Any] = {}
    for name, value in network.hyperparameters.items():  # type: ignore[union-attr, operator]
        try:
            json.dumps(stored := to_json(value))
        except TypeError as error:
            if name not in defaults or defaults[name].default is not value:
                raise WeightsError(f"{architecture.id}: its parameter {name} cannot be stored: {error}") from error
        else:
            parameters[name] = stored
    return parameters


def _remarks(descriptor: Descriptor) -> list[str]:
    """Return what a user should know before using a network."""
    from spandrel import ModelTiling

    remarks = [f"spandrel: {descriptor.architecture.name}, {descriptor.purpose}"]
    if descriptor.tags:
        remarks[0] += f" ({', '.join(descriptor.tags)})"
    if descriptor.input_channels == 1:
        remarks.append("made for gray images: each color channel is processed by itself")
    if descriptor.tiling is ModelTiling.DISCOURAGED:
        remarks.append("uses the whole image: large ones are cut into tiles, whose results may differ from it")
    if descriptor.purpose == "FaceSR":
        remarks.append("made for aligned faces of 512 x 512 pixels")
    return remarks
