"""Segmentation by U-Net, UNet++ and DeepLab: masks, probability maps and overlays."""

from __future__ import annotations

from restore.registry import Register, hookimpl

HOME = "restore.plugins.unet"


@hookimpl
def restore_tasks(register: Register) -> None:
    """Three networks, and the threshold that they are compared with."""
    use = {"predict": f"{HOME}.options:PredictSettings", "evaluate": f"{HOME}.options:EvaluateSettings"}
    register(
        "unet",
        f"{HOME}.task:UNetSegmentation",
        settings=f"{HOME}.settings:UNetSettings",
        imports=f"{HOME}.convert:CODEBASES",
        summary="U-Net: regions of pictures by learned masks (Ronneberger et al., 2015). Sample: drawn nuclei.",
        **use,
    )
    register(
        "nested-unet",
        f"{HOME}.task:NestedUNetSegmentation",
        settings=f"{HOME}.settings:NestedUNetSettings",
        imports=f"{HOME}.convert:CODEBASES",
        summary="UNet++, with and without deep supervision (Zhou et al., 2018). Sample: drawn nuclei.",
        **use,
    )
    register(
        "deeplab",
        f"{HOME}.task:DeepLabSegmentation",
        settings=f"{HOME}.settings:DeepLabSettings",
        summary="DeepLabV3 and V3+ on torchvision's networks (Chen et al., 2018). Sample: drawn nuclei.",
        **use,
    )
    register(
        "otsu",
        f"{HOME}.otsu:Otsu",
        settings=f"{HOME}.settings:SegmentationSettings",
        weights=False,
        summary="Otsu's threshold: what segmentation is worth without learning (Otsu, 1979).",
        predict=f"{HOME}.options:WriteSettings",
        evaluate=use["evaluate"],
    )


@hookimpl
def restore_architectures(register: Register) -> None:
    """Networks that give logits for each class."""
    register("unet", f"{HOME}.networks.unet:UNet", summary="U-Net.")
    register("nested-unet", f"{HOME}.networks.unet:NestedUNet", summary="UNet++, prunable with deep supervision.")
    register("deeplab-v3", f"{HOME}.networks.deeplab:DeepLabV3", summary="DeepLabV3: an atrous pyramid on a backbone.")
    register("deeplab-v3-plus", f"{HOME}.networks.deeplab:DeepLabV3Plus", summary="DeepLabV3+: V3 with a decoder.")


@hookimpl
def restore_datasets(register: Register) -> None:
    """Pictures with masks."""
    register("segments", f"{HOME}.data.splits:read_source", summary="Pictures and masks of a folder, in four layouts.")
    register("nuclei", f"{HOME}.data.dataset:Drawings", summary="Drawn nuclei with exact masks.")


@hookimpl
def restore_losses(register: Register) -> None:
    """Losses between logits and masks."""
    register("bce", f"{HOME}.losses:bce", summary="Binary cross-entropy.")
    register("dice", f"{HOME}.losses:dice", summary="Soft Dice.")
    register("bce-dice", f"{HOME}.losses:bce_dice", summary="Half the binary cross-entropy, and soft Dice.")
    register("lovasz-hinge", f"{HOME}.losses:lovasz_hinge", summary="Lovász hinge, each class against the others.")
    register("lovasz-softmax", f"{HOME}.losses:lovasz_softmax", summary="Lovász-softmax over the classes that occur.")
    register("focal", f"{HOME}.losses:focal", summary="Focal loss.")
    register("cross-entropy", f"{HOME}.losses:cross_entropy", summary="Cross-entropy, for class numbers.")
    register("cross-entropy-dice", f"{HOME}.losses:cross_entropy_dice", summary="Cross-entropy and soft Dice.")


@hookimpl
def restore_metrics(register: Register) -> None:
    """Overlap of regions."""
    register("overlap", f"{HOME}.metrics:Overlap", summary="IoU or Dice over the set, per image, or per batch.")
    register("best-threshold", f"{HOME}.metrics:BestThreshold", summary="The threshold with the highest IoU.")


@hookimpl
def restore_commands(register: Register) -> None:
    """What else can be done with trained weights."""
    register(
        "cases",
        f"{HOME}.commands:write_cases",
        settings=f"{HOME}.options:CasesSettings",
        needs="weights",
        summary="A page of the worst and the best segmented pictures.",
    )
    register(
        "levels",
        f"{HOME}.commands:compare_levels",
        settings=f"{HOME}.options:LevelsSettings",
        needs="weights",
        summary="What each pruned level of a UNet++ costs and gives.",
    )
