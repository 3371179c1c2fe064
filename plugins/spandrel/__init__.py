"""The architectures of spandrel, and the weights that the community publishes for them; nothing without spandrel.

``pip install 'restorekit[spandrel]'`` installs it.
"""

from __future__ import annotations

from importlib.util import find_spec

from restore.plugins.spandrel.catalog import ARCHITECTURES
from restore.registry import ArchitectureSpec, ConverterSpec, hookimpl

HOME = "restore.plugins.spandrel"


@hookimpl
def restore_architectures() -> list[ArchitectureSpec]:
    """Register the architectures, if spandrel is installed."""
    if find_spec("spandrel") is None:
        return []
    return [
        ArchitectureSpec(
            each.name,
            f"{HOME}.networks:NETWORKS.{each.attribute}",
            role=each.role,
            settings=f"{HOME}.settings:SpandrelSettings",
            summary=each.summary,
        )
        for each in ARCHITECTURES
    ]


@hookimpl
def restore_converters() -> list[ConverterSpec]:
    """Register the converter, which says what to install if spandrel is missing."""
    return [
        ConverterSpec(
            "spandrel",
            f"{HOME}.convert:recognize",
            fallback=True,
            summary="Weights of the architectures that spandrel knows: ESRGAN, SwinIR, HAT, DAT, NAFNet, LaMa, …",
        )
    ]
