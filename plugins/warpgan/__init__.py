"""Caricatures: textures drawn anew and faces warped by control points, with who it is kept in mind."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from restore.registry import ArchitectureSpec, CommandSpec, TaskSpec, hookimpl

if TYPE_CHECKING:
    from restore.plugins.warpgan.networks.spline import ThinPlateSpline, thin_plate_spline
    from restore.plugins.warpgan.networks.warping import Warped, warp

__all__ = ["ThinPlateSpline", "Warped", "thin_plate_spline", "warp"]

_PLACE = "restore.plugins.warpgan"
_HOME = {"ThinPlateSpline": "spline", "thin_plate_spline": "spline", "Warped": "warping", "warp": "warping"}


def __getattr__(name: str) -> Any:
    """The differentiable warp, for other programs; torch is imported only then."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{_PLACE}.networks.{_HOME[name]}"), name)


@hookimpl
def restore_tasks() -> list[TaskSpec]:
    """The family's one task."""
    return [
        TaskSpec(
            "warpgan",
            f"{_PLACE}.task:WarpGAN",
            settings=f"{_PLACE}.settings:WarpGANSettings",
            predict=f"{_PLACE}.options:WarpGANPredictOptions",
            evaluate=f"{_PLACE}.options:WarpGANEvaluateOptions",
            imports=f"{_PLACE}.convert:CONVERTERS",
            summary="Caricatures of aligned faces (see restore data align), exaggerated at will (Shi et al., 2019).",
        ),
    ]


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Its networks, for other families to use."""
    return [
        ArchitectureSpec(
            "warp-generator",
            f"{_PLACE}.networks.generator:WarpGenerator",
            role="warping",
            summary="Redraws in a style and warps by points.",
        ),
        ArchitectureSpec(
            "identity-discriminator",
            f"{_PLACE}.networks.discriminator:Discriminator",
            role="identity-discriminator",
            summary="Tells kinds of images and people.",
        ),
    ]


@hookimpl
def restore_commands() -> list[CommandSpec]:
    """Preparing faces, and films of one that is exaggerated more and more."""
    return [
        CommandSpec(
            "data align",
            f"{_PLACE}.commands:align",
            settings=f"{_PLACE}.options:AlignSettings",
            needs="nothing",
            summary="Bring the faces of images to one place and size.",
        ),
        CommandSpec(
            "exaggerate",
            f"{_PLACE}.commands:exaggerate",
            settings=f"{_PLACE}.options:ExaggerateSettings",
            needs="weights",
            summary="Exaggerate a photograph more and more: a strip, or a film.",
        ),
    ]
