"""Fill holes by learnable bidirectional attention maps."""

from __future__ import annotations

from restore.registry import Register, hookimpl


@hookimpl
def restore_tasks(register: Register) -> None:
    """The family's one task."""
    place, options = "restore.plugins.lbam", "restore.plugins.common.masks.settings"
    register(
        "lbam",
        f"{place}.task:LBAM",
        settings=f"{place}.settings:LBAMSettings",
        predict=f"{options}:FillingPredict",
        evaluate=f"{options}:FillingEvaluate",
        imports=f"{place}.convert:CODE_BASES",
        summary="Inpainting by learnable bidirectional attention maps (Xie et al., 2019).",
    )


@hookimpl
def restore_architectures(register: Register) -> None:
    """Its networks, for other families to use."""
    place = "restore.plugins.lbam"
    register("generator", f"{place}.generator:Generator", summary="U-Net with attention maps learnt from the mask.")
    register("discriminator", f"{place}.discriminator:Discriminator", summary="Critic with a column for the hole.")
