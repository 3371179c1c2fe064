"""The images that a run trains or validates on, for tasks that make everything else from them."""

from __future__ import annotations

from restore.core.settings import RunSettings
from restore.plugins.common.images.folders import ImageFolder, Split, split_files
from restore.plugins.common.images.samples import photographs
from restore.plugins.common.images.sources import ImageSource


def split_images(split: Split, settings: RunSettings) -> ImageSource:
    """Return the images of a split: those of folders if the settings name any, else scikit-image's photographs.

    Validation images are those of ``settings.val_data``, or a part of ``settings.data`` that the seed holds out.
    Raises as `split_files` and `ImageFolder`.
    """
    files = split_files(settings, split)
    return photographs(split) if files is None else ImageFolder(files)
