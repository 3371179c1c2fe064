"""The page of a study: one file with which an observer answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from restore.core.pages.page import Page, fill_template, read_static
from restore.plugins.opinions.make_settings import MakeSettings
from restore.plugins.opinions.sessions import StudyInfo, StudyMethod
from restore.plugins.opinions.study import REFERENCE, StudyImages, embed_images, identify

PACKAGE = "restore.plugins.opinions"


@dataclass(frozen=True)
class Wording:
    """What observers read, by kind of study."""

    instruction: str
    question: str
    answers: tuple[str, ...]
    """Labels of the answers, the first of which has the key 1."""
    views: tuple[tuple[str, str], ...]
    """Description and caption of each image that is shown at once."""


WORDING: Mapping[StudyMethod, Wording] = {
    "single": Wording(
        "You will see images, one at a time. Please rate the quality of each.",
        "How good is the quality of this image?",
        ("Bad", "Poor", "Fair", "Good", "Excellent"),
        (("Image to rate", ""),),
    ),
    "double": Wording(
        "You will see two images at a time: the reference, and a version of it. Please rate how the version differs.",
        "How does the version differ from the reference?",
        ("Very annoying", "Annoying", "Slightly annoying", "Perceptible, not annoying", "Imperceptible"),
        (("The reference", "Reference"), ("The version to rate", "Version")),
    ),
    "pairs": Wording(
        "You will see two versions of an image at a time. Please choose the better one, even if it is hard to tell.",
        "Which image is better?",
        ("A", "B"),
        (("Image A", "A"), ("Image B", "B")),
    ),
}


def write_page(images: StudyImages, settings: MakeSettings) -> tuple[str, StudyInfo]:
    """Return the HTML of a study, and what the study is.

    Raises UsageError if the images are too large for a page.
    """
    sources, places = embed_images(images, settings.max_megabytes * 10**6)
    tested = tuple(image for image in images.images if image not in settings.training_image)
    reference = None if settings.reference is None else REFERENCE
    names = [image for image in images.images for _ in images.files[image]]
    study = StudyInfo(
        id=identify([settings.method, settings.title, str(settings.seed), *names, *images.methods, *sources]),
        title=settings.title,
        method=settings.method,
        images=tested,
        methods=images.methods,
        reference=reference,
    )
    wording = WORDING[settings.method]
    body = fill_template(
        read_static("study.html", PACKAGE),
        title=settings.title,
        method=settings.method,
        instruction=wording.instruction,
        question=wording.question,
        several=len(wording.views) > 1,
        keys=f"1 to {len(wording.answers)}" if len(wording.answers) > 2 else "1 (A) and 2 (B)",
        answers=[
            {"value": key, "sign": label, "label": f"key {key}"}
            if settings.method == "pairs"
            else {"value": key, "sign": key, "label": label}
            for key, label in enumerate(wording.answers, 1)
        ],
        views=[{"label": label, "caption": caption} for label, caption in wording.views],
    )
    page = Page(
        title=settings.title,
        body=body,
        styles=(read_static("page.css"), read_static("study.css", PACKAGE)),
        scripts=(read_static("zoom.js"), read_static("study.js", PACKAGE)),
        data={
            "study": study.model_dump(mode="json"),
            "seed": settings.seed,
            "training": settings.training,
            "training_images": [image for image in images.images if image in settings.training_image],
            "repeats": count_repeats(study, settings.repeats),
            "post": settings.post,
            "files": places,
            "sources": sources,
        },
        connect="'self'" if settings.post and settings.post.startswith("/") else settings.post,
    )
    return page.html(), study


def count_presentations(study: StudyInfo) -> int:
    """Return how many different presentations a study has."""
    shown = len(study.scored)
    return len(study.images) * (shown * (shown - 1) // 2 if study.method == "pairs" else shown)


def count_repeats(study: StudyInfo, wanted: int | None) -> int:
    """Return how many presentations come twice: what is asked for, at most all; unset: a tenth, at least one."""
    count = count_presentations(study)
    return min(count, max(1, round(count / 10)) if wanted is None else wanted)
