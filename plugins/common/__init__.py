"""The toolbox of the families: sample photographs, image data, losses and metrics."""

from __future__ import annotations

from restore.registry import DatasetSpec, LossSpec, MetricSpec, hookimpl


@hookimpl
def restore_datasets() -> list[DatasetSpec]:
    """Images to train and to measure on."""
    place = "restore.plugins.common"
    return [
        DatasetSpec(
            "photographs",
            f"{place}.images.samples:photographs",
            role="images",
            summary="Photographs that ship with scikit-image.",
        ),
        DatasetSpec(
            "folder",
            f"{place}.images.folders:ImageFolder",
            role="images",
            summary="The images of a folder, decoded once.",
        ),
        DatasetSpec(
            "super-resolution",
            f"{place}.super_resolution.dataset:super_resolution_images",
            role="super-resolution",
            summary="Small and large images: crops to train on, whole ones to validate on.",
        ),
        DatasetSpec(
            "inpainting",
            f"{place}.inpainting.dataset:inpainting_images",
            role="inpainting",
            summary="Images with holes: random ones to train on, fixed ones to validate on.",
        ),
        DatasetSpec("masks", f"{place}.masks.generators:draw_mask", role="masks", summary="Random masks of six kinds."),
        DatasetSpec(
            "mask-folder",
            f"{place}.masks.folders:MaskFolder",
            role="masks",
            summary="The masks of a folder, at any size.",
        ),
    ]


@hookimpl
def restore_losses() -> list[LossSpec]:
    """Losses that know no family."""
    pixels, adversarial = "restore.plugins.common.losses", "restore.plugins.common.adversarial.losses"
    features = "restore.plugins.common.perceptual"
    masked = "restore.plugins.common.inpainting.losses"
    return [
        LossSpec("l1", f"{pixels}:L1", role="pixel", summary="Mean absolute error."),
        LossSpec("mse", f"{pixels}:MSE", role="pixel", summary="Mean squared error."),
        LossSpec(
            "charbonnier", f"{pixels}:Charbonnier", role="pixel", summary="Mean absolute error with a smooth tip."
        ),
        LossSpec("total-variation", f"{pixels}:TotalVariation", role="pixel", summary="Roughness of a prediction."),
        LossSpec(
            "perceptual",
            f"{features}.perceptual:Perceptual",
            role="perceptual",
            summary="Distance between VGG features.",
        ),
        LossSpec(
            "style",
            f"{features}.style:Style",
            role="perceptual",
            summary="Distance between Gram matrices of VGG features.",
        ),
        LossSpec(
            "masked-l1",
            f"{masked}:MaskedL1",
            role="inpainting",
            summary="Mean absolute error, weighted in the hole and outside it.",
        ),
        LossSpec(
            "masked-mse",
            f"{masked}:MaskedMSE",
            role="inpainting",
            summary="Mean squared error, weighted in the hole and outside it.",
        ),
        LossSpec(
            "discounted-l1",
            f"{masked}:DiscountedL1",
            role="inpainting",
            summary="Mean absolute error in the hole that fades with the distance to what is known.",
        ),
        LossSpec(
            "masked-total-variation",
            f"{masked}:MaskedTotalVariation",
            role="inpainting",
            summary="Roughness of the hole and of its seam.",
        ),
        LossSpec(
            "vanilla",
            f"{adversarial}:Vanilla",
            role="adversarial",
            summary="Adversarial pair: cross-entropy on logits.",
        ),
        LossSpec(
            "least-squares",
            f"{adversarial}:LeastSquares",
            role="adversarial",
            summary="Adversarial pair: squared distance to labels.",
        ),
        LossSpec("hinge", f"{adversarial}:Hinge", role="adversarial", summary="Adversarial pair: hinge."),
        LossSpec(
            "wasserstein",
            f"{adversarial}:Wasserstein",
            role="adversarial",
            summary="Adversarial pair: mean scores with a gradient penalty.",
        ),
    ]


@hookimpl
def restore_metrics() -> list[MetricSpec]:
    """Metrics that say what they compare."""
    place = "restore.plugins.common.metrics"
    masked = "restore.plugins.common.inpainting.metrics"
    return [
        MetricSpec(
            "masked-psnr",
            f"{masked}:MaskedPSNR",
            role="inpainting",
            summary="Peak signal-to-noise ratio inside the hole, per image.",
        ),
        MetricSpec(
            "masked-l1",
            f"{masked}:MaskedL1",
            role="inpainting",
            summary="Mean absolute error inside the hole, per image.",
        ),
        MetricSpec("psnr", f"{place}:PSNR", role="image", summary="Peak signal-to-noise ratio in dB, per image."),
        MetricSpec(
            "ssim", f"{place}:SSIM", role="image", summary="Structural similarity over the valid region, per image."
        ),
    ]
