"""The roles that registered things can have, such as architectures: a role is a contract that a task can rely on.

A task asks for a role and accepts everything that is registered for it, whichever plugin that is of. Each contract says
what is given and what must come back. ``B`` is the number of images in a batch, ``H`` and ``W`` are their sides.

A factory of networks is called with the arguments that its role promises and with the values of its own settings,
all by keyword. A network may have an attribute ``tiling``, a :class:`restore.core.Tiling`, which says how large images
may be cut for it; without one, tiles are cross-faded. :mod:`restore.core.contracts` tries networks before training.

A factory of losses is called with the values of its own settings by keyword. A loss that is a ``torch.nn.Module`` is
kept among the frozen networks of a run. Its weight is applied by the task.

A factory of datasets of any role that a task can name is called in the same way, with at least:

- ``split``: ``"train"``, ``"validation"``, or ``"evaluation"``, for ``restore evaluate``;
- ``folder``: a ``Path``, the folder of the user's images for this split, or None if there is none; a dataset that does
  not use a folder refuses it with a :class:`restore.core.errors.UsageError`;
- ``val_fraction``: which fraction of ``folder`` is held out for validation; zero if validation has a folder of its own.
  An evaluation takes the whole folder;
- ``seed``: decides which images are held out, and nothing else.

``restore.plugins.common.images.folders.files_of`` does what these four ask for. The dataset has ``__len__`` and
``__getitem__``, and may have ``name(index)``, the name of a sample in reports, and ``in_memory``, which is true if
samples need no worker processes. Training and validation share no image. Samples of ``"train"`` may be drawn at random,
from torch's global generator alone, which the engine seeds for each sample; they all have one shape. Samples of
``"validation"`` and ``"evaluation"`` are whole images of any size, the same each time and for every seed of a run.
:mod:`restore.core.dataset_contracts` tries datasets before training.

Metrics and protocols are built in the same way; :mod:`restore.core.metric_contracts` tries them before any image is
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from restore.registry.kinds import Kind

ArchitectureRole = Literal[
    "super-resolution",
    "restoration",
    "inpainting",
    "segmentation",
    "autoencoder",
    "warping",
    "discriminator",
    "inpainting-discriminator",
    "identity-discriminator",
]
DatasetRole = Literal["images", "masks", "super-resolution", "restoration", "inpainting", "segmentation"]
LossRole = Literal["pixel", "perceptual", "inpainting", "segmentation", "adversarial", "feature-matching"]
MetricRole = Literal["image", "super-resolution", "inpainting", "segmentation"]

ARCHITECTURE_ROLES: Final[Mapping[str, str]] = {
    "super-resolution": "Built with ``scale``. ``network(images)``: (B, 3, H, W) in [0, 1] to (B, 3, H x scale, "
    "W x scale), about [0, 1].",
    "restoration": "``network(images)``: (B, 3, H, W) in [0, 1] to the same shape, about [0, 1].",
    "inpainting": "``network(images, masks)``: (B, 3, H, W) in [0, 1], of any size, and (B, 1, H, W), one where an "
    "image is to be filled in, to whole images of the same shape, about [0, 1], or to a list or tuple of such stages, "
    "coarse first; the last one counts and depends on all parameters. What the image shows there must not matter.",
    "segmentation": "Built with ``input_channels`` and ``num_classes``. ``network(images)``: (B, input_channels, H, W) "
    "to logits (B, num_classes, H, W), or to several such, the last of which counts.",
    "autoencoder": "Built with ``latent``, ``scale`` and ``variational``. ``network.encoder(images)``: (B, 3, H, W) in "
    "[0, 1], of any size, to codes (B, latent, h, w); if ``variational``, to their means and log-variances plus 4, "
    "(B, 2 x latent, h, w). ``network.decoder(codes, height, width)``: to images (B, 3, height, width), about [0, 1]; "
    "the task asks for height H x scale. ``network.stride``: how many pixels of H a row of the code stands for: h is "
    "H / stride, rounded up. All parameters belong to encoder or decoder.",
    "warping": "Built with ``size``, the height and width of its images, and ``style``, the length of a style code. "
    "``network(images, styles, scales, reconstruct)``: images (B, 3, size, size) in [-1, 1], of which the first N are "
    "redrawn in styles (N, style) and warped by scales (N,) times the displacements of control points; without styles "
    "all are redrawn, each in its own, without scales by 1. It returns a named tuple with ``image`` and, not warped, "
    "``rendered`` (N, 3, size, size); ``points`` and ``displacements`` (N, P, 2), rows and columns in pixels; ``flow`` "
    "(N, 2, size, size), how far each pixel came; ``encoded_style`` (B, style); and, with ``reconstruct=True``, "
    "``reconstructed`` (B, 3, size, size), all images redrawn in their own styles, not warped.",
    "discriminator": "Built with ``crop_size``, the height and width of what it is trained on. "
    "``network(images)``: (B, 3, H, W) to scores without limits (logits): (B, 1), a map "
    "(B, 1, h, w), or a list of maps.",
    "inpainting-discriminator": "Built with ``crop_size``, as a discriminator. ``network(images, masks)``: "
    "(B, 3, H, W) in [0, 1] and (B, 1, H, W), one where they were filled in, to scores as those of a discriminator. "
    "With an attribute ``has_features = True`` it also takes ``features=True``, for feature matching, and then returns "
    "the scores and a list of features (B, ...).",
    "identity-discriminator": "Built with ``size``, the height and width of its images, and ``identities``, their "
    "number M. ``network(images)``: (B, 3, size, size) in [-1, 1] to a named tuple with the logits ``patches`` "
    "(B, 3, h, w) of caricature, photograph and generated image, and ``identities`` (B, 3 x M), those of each kind "
    "in this order, and an ``embedding`` (B, K) of length 1.",
}
"""What a factory of ``torch.nn.Module`` builds in each role."""

DATASET_ROLES: Final[Mapping[str, str]] = {
    "images": "A sequence of images (3, H, W), uint8; tasks make their samples from them. It may have ``size(index)``, "
    "height and width without decoding, and ``gray(index)``, whether the three channels are equal.",
    "masks": "Masks (1, H, W) of a wanted size, one inside. No task names one.",
    "super-resolution": "Also built with ``scale`` and ``crop_size``, the side of training targets in pixels. Samples "
    "are dictionaries: ``input`` (3, H, W) and ``target`` (3, H x scale, W x scale), float in about [0, 1]. The target "
    "of a gray image may have one channel, except in training.",
    "restoration": "As ``super-resolution`` at scale 1, and built without ``scale``.",
    "inpainting": "Also built with ``crop_size``, the side of training images in pixels. Samples are dictionaries: "
    "``target`` (3, H, W) in [0, 1], ``mask`` (1, H, W), one where the image is to be filled in, else zero, and "
    "``input``, the target with zeros there.",
    "segmentation": "A sequence of tuples: image (3, H, W) and masks, both uint8. Masks are (classes, H, W) of zeros "
    "and ones, or with ``multiclass`` numbers of classes (1, H, W), where 255 is unknown. It has ``classes``, their "
    "names, and may have ``multiclass``, whether each pixel has one class. The task crops, resizes and augments.",
}
"""What a factory of datasets builds in each role."""

LOSS_ROLES: Final[Mapping[str, str]] = {
    "pixel": "``loss(prediction, batch)``: images (B, C, H, W) in [0, 1] and the batch with its ``target``, to named "
    "terms.",
    "perceptual": "As ``pixel``, through the features of a network that the loss has of its own.",
    "inpainting": "As ``pixel``; the batch also has the ``mask``, one where the image was filled in.",
    "segmentation": "As ``pixel``, of logits (B, num_classes, H, W).",
    "adversarial": "``loss.discriminator(real, fake)`` and ``loss.generator(fake)``: scores without limits, to named "
    "terms.",
    "feature-matching": "``loss(generated, real)``: the features of a discriminator, to named terms.",
}
"""What a factory of losses builds in each role."""

_STATISTICS = (
    "to finite statistics (B, K), float64, of each image by itself. ``metric.reduce(statistics)``: a number, the best "
    "there is for predictions that equal their targets; ``metric.better`` says whether ``higher`` or ``lower`` is "
    "better, ``metric.convention`` how it was computed."
)

METRIC_ROLES: Final[Mapping[str, str]] = {
    "image": "``metric.measure(prediction, target)``: images (B, 3, H, W) and their targets in [0, 1], or targets "
    f"(B, 1, H, W) of grayscale images, {_STATISTICS}",
    "super-resolution": "As ``image``, and ``metric.measure_from(prediction, target, inputs)``: the same with the "
    "images (B, 3, h, w) that were upscaled.",
    "inpainting": "As ``image``, and ``metric.measure_inside(prediction, target, masks)``: the same inside masks "
    "(B, 1, H, W), one inside. An image without a hole must not make the result NaN if others have one.",
    "segmentation": "Built with ``num_classes``. ``metric.measure(prediction, target)``: probabilities "
    "(B, num_classes, H, W), and maps of that shape for classes that may overlap or class numbers (B, 1, H, W), int64, "
    f"{_STATISTICS}",
}
"""What a factory of :class:`restore.core.Metric` builds in each role."""

PROTOCOL_ROLES: Final[Mapping[str, str]] = {
    "image": "Built with ``scale``, the size of the output relative to the input. Metrics of the role ``image``, by "
    "key.",
    "super-resolution": "Built with ``scale``. Metrics of the roles ``super-resolution`` and ``image``, by key.",
    "inpainting": "Metrics of the roles ``inpainting`` and ``image``, by key.",
    "segmentation": "Built with ``num_classes``. Metrics of the role ``segmentation``, by key.",
}
"""What a factory of evaluation protocols builds in each role."""

ROLES: Final[Mapping[Kind, Mapping[str, str]]] = {
    "architectures": ARCHITECTURE_ROLES,
    "datasets": DATASET_ROLES,
    "losses": LOSS_ROLES,
    "metrics": METRIC_ROLES,
    "protocols": PROTOCOL_ROLES,
}
"""The contract of each role, by kind and name."""
