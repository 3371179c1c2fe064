"""``restore mos make``."""

from __future__ import annotations

from restore.core.atomic import atomic_write, refuse_overwrite, writable_folder
from restore.core.errors import UsageError
from restore.core.images.listing import require_folder
from restore.plugins.opinions.make_settings import MakeSettings
from restore.plugins.opinions.sessions import METHOD_NAMES
from restore.plugins.opinions.study import StudyImages, find_images
from restore.plugins.opinions.study_page import count_presentations, count_repeats, write_page


def make(settings: MakeSettings) -> None:
    """Write the page of a study, and print what it shows.

    Raises UsageError for folders that do not fit together and for a study that has nothing to show, and DataError for
    a damaged image.
    """
    if not settings.inputs:
        raise UsageError("there is nothing to rate: give the results of each method with --inputs DIR")
    refuse_overwrite(settings.output, settings.overwrite)
    for folder in (*settings.inputs, *([settings.reference] if settings.reference is not None else [])):
        require_folder(folder)
    if settings.method == "double" and settings.reference is None:
        raise UsageError("--method double shows each image beside the reference: give --reference DIR")
    images = find_images(settings.inputs, settings.reference)
    _check_images(images, settings)
    writable_folder(settings.output.parent)
    html, study = write_page(images, settings)
    with atomic_write(settings.output) as temporary:
        temporary.write_text(html, encoding="utf-8")
    count, repeats = count_presentations(study), count_repeats(study, settings.repeats)
    shown = f"{', '.join(study.methods)}{' and the hidden reference' if study.reference else ''}"
    print(f"{settings.output}: {METHOD_NAMES[study.method]}")
    print(
        f"{len(study.images)} images, {shown}: {count} presentations, {repeats} of them twice; {len(html) / 1e6:.1f} MB"
    )
    print("Observers open the page and save a file each; then: restore mos score FILE…")


def _check_images(images: StudyImages, settings: MakeSettings) -> None:
    """Raise UsageError if practice takes images that do not exist or all of them, or if there is nothing to compare."""
    unknown = [name for name in settings.training_image if name not in images.images]
    if unknown:
        known = ", ".join(images.images[:4]) + (", …" if len(images.images) > 4 else "")
        raise UsageError(f"--training-image {unknown[0]}: no such image; there are {known} (without suffix)")
    if not set(images.images) - set(settings.training_image):
        raise UsageError("--training-image: all images are for practice, and none is left for the test")
    if settings.method == "pairs" and len(images.methods) + (settings.reference is not None) < 2:
        raise UsageError("--method pairs compares two folders or more: give --inputs again, or --reference")
