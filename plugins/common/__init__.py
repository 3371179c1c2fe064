"""The toolbox of the families: sample photographs, picture data, losses and metrics."""

from __future__ import annotations

from restore.registry import Register, hookimpl


@hookimpl
def restore_datasets(register: Register) -> None:
    """Pictures to train and to measure on."""
    place = "restore.plugins.common"
    register("photographs", f"{place}.images.samples:photographs", summary="Photographs that ship with scikit-image.")
    register("folder", f"{place}.images.folders:PictureFolder", summary="The pictures of a folder, decoded once.")
    register(
        "super-resolution",
        f"{place}.super_resolution.dataset:super_resolution_pictures",
        summary="Small and large pictures: crops to train on, whole ones to validate on.",
    )
    register(
        "inpainting",
        f"{place}.inpainting.dataset:inpainting_pictures",
        summary="Pictures with holes: random ones to train on, fixed ones to validate on.",
    )
    register("masks", f"{place}.masks.generators:draw_mask", summary="Random masks of six kinds.")
    register("mask-folder", f"{place}.masks.folders:MaskFolder", summary="The masks of a folder, at any size.")


@hookimpl
def restore_losses(register: Register) -> None:
    """Losses that know no family."""
    pixels, adversarial = "restore.plugins.common.losses", "restore.plugins.common.adversarial.losses"
    register("l1", f"{pixels}:L1", summary="Mean absolute error.")
    register("mse", f"{pixels}:MSE", summary="Mean squared error.")
    register("charbonnier", f"{pixels}:Charbonnier", summary="Mean absolute error with a smooth tip.")
    register("total-variation", f"{pixels}:TotalVariation", summary="Roughness of a prediction.")
    features = "restore.plugins.common.perceptual"
    register("perceptual", f"{features}.perceptual:Perceptual", summary="Distance between VGG features.")
    register("style", f"{features}.style:Style", summary="Distance between Gram matrices of VGG features.")
    holes = "restore.plugins.common.inpainting.losses"
    register("masked-l1", f"{holes}:MaskedL1", summary="Mean absolute error, weighted in the hole and outside it.")
    register("masked-mse", f"{holes}:MaskedMSE", summary="Mean squared error, weighted in the hole and outside it.")
    register(
        "discounted-l1",
        f"{holes}:DiscountedL1",
        summary="Mean absolute error in the hole that fades with the distance to what is known.",
    )
    register(
        "masked-total-variation",
        f"{holes}:MaskedTotalVariation",
        summary="Roughness of the hole and of its seam.",
    )
    register("vanilla", f"{adversarial}:Vanilla", summary="Adversarial pair: cross-entropy on logits.")
    register("least-squares", f"{adversarial}:LeastSquares", summary="Adversarial pair: squared distance to labels.")
    register("hinge", f"{adversarial}:Hinge", summary="Adversarial pair: hinge.")
    register(
        "wasserstein", f"{adversarial}:Wasserstein", summary="Adversarial pair: mean scores with a gradient penalty."
    )


@hookimpl
def restore_metrics(register: Register) -> None:
    """Metrics that say what they compare."""
    place = "restore.plugins.common.metrics"
    holes = "restore.plugins.common.inpainting.metrics"
    register("psnr-hole", f"{holes}:HolePSNR", summary="Peak signal-to-noise ratio inside the hole, per picture.")
    register("l1-hole", f"{holes}:HoleL1", summary="Mean absolute error inside the hole, per picture.")
    register("psnr", f"{place}:PSNR", summary="Peak signal-to-noise ratio in dB, per picture.")
    register("ssim", f"{place}:SSIM", summary="Structural similarity over the valid region, per picture.")
