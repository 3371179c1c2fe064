"""WarpGAN caricatures: style transfer and learned control-point warping that keep the identity."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from restore.registry import ArchitectureSpec, CommandSpec, TaskSpec, hookimpl

if TYPE_CHECKING:
    from restore.plugins.warpgan.networks.spline import ThinPlateSpline, fit_thin_plate_spline
    from restore.plugins.warpgan.networks.warping import Warped, warp

__all__ = ["ThinPlateSpline", "Warped", "fit_thin_plate_spline", "warp"]

_PLACE = "restore.plugins.warpgan"
_HOME = {"ThinPlateSpline": "spline", "fit_thin_plate_spline": "spline", "Warped": "warping", "warp": "warping"}


def __getattr__(name: str) -> Any:
    """Import the differentiable warp on first access, so that importing the plugin does not import torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{_PLACE}.networks.{_HOME[name]}"), name)


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """Register the family's task."""
    return [
        TaskSpec(
            "warpgan",
            f"{_PLACE}.task:WarpGAN",
            settings=f"{_PLACE}.settings:WarpGANSettings",
            predict=f"{_PLACE}.options:WarpGANPredictOptions",
            evaluate=f"{_PLACE}.options:WarpGANEvaluateOptions",
            imports=f"{_PLACE}.convert:CONVERTERS",
            summary="Caricatures of aligned faces (restore data align), adjustable exaggeration (Shi et al., 2019).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the family's networks."""
    return [
        ArchitectureSpec(
            "warp-generator",
            f"{_PLACE}.networks.generator:WarpGenerator",
            role="warping",
            settings=f"{_PLACE}.network_settings:WarpGeneratorSettings",
            summary="Transfers a style and warps by control points.",
        ),
        ArchitectureSpec(
            "identity-discriminator",
            f"{_PLACE}.networks.discriminator:Discriminator",
            role="identity-discriminator",
            settings=f"{_PLACE}.network_settings:IdentityDiscriminatorSettings",
            summary="Classifies patches (caricature, photograph, generated) and identities.",
        ),
    ]


@hookimpl
def restore_commands() -> list[CommandSpec]:
    """Register face alignment, control points as numbers, and animations of growing exaggeration."""
    return [
        CommandSpec(
            "data align",
            f"{_PLACE}.commands:align",
            settings=f"{_PLACE}.options:AlignSettings",
            needs="nothing",
            summary="Align faces: move them to a common position and size.",
        ),
        CommandSpec(
            "control-points",
            f"{_PLACE}.commands:print_control_points",
            settings=f"{_PLACE}.options:ControlPointsSettings",
            needs="weights",
            summary="Print the control points of a photograph, which predict --control-points takes back.",
        ),
        CommandSpec(
            "exaggerate",
            f"{_PLACE}.commands:exaggerate",
            settings=f"{_PLACE}.options:ExaggerateSettings",
            needs="weights",
            summary="Render a photograph with growing exaggeration, as a strip or an animation.",
        ),
    ]
