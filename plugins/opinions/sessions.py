"""The files that observers save: what they answered, with the study that they took part in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from restore.core.atomic import reason
from restore.core.errors import DataError, UsageError
from restore.core.images.listing import make_natural_key
from restore.core.wrong_values import describe_wrong_values

FORMAT = "restore-opinions"
VERSION = 1
SIZE_LIMIT = 2**24
"""Larger files are refused: an hour's session has some 100 kB."""

Word = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
"""A name; control characters could do harm on a terminal."""
StudyMethod = Literal["single", "double", "pairs"]
Role = Literal["test", "training", "repeat"]
"""What an answer is for: only those of the test count; repeats tell how consistent an observer is."""

METHOD_NAMES: dict[StudyMethod, str] = {
    "single": "single stimulus, 1 (bad) to 5 (excellent)",
    "double": "double stimulus with the reference, 1 (very annoying) to 5 (imperceptible)",
    "pairs": "pair comparison",
}


class _Part(BaseModel):
    # Unknown keys are ignored: a later version may add some.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class StudyInfo(_Part):
    """What observers were shown."""

    id: Word
    """Digest of the study; equal for all observers of one page."""
    title: Word
    method: StudyMethod
    images: Annotated[tuple[Word, ...], Field(min_length=1, max_length=10_000)]
    methods: Annotated[tuple[Word, ...], Field(min_length=1, max_length=1000)]
    """Names of the methods that are compared; the reference is not among them."""
    reference: Word | None = None
    """Name of the reference in answers; None if the study has none."""

    @property
    def scored(self) -> tuple[str, ...]:
        """Everything that can be scored: the methods, and the hidden reference if there is one."""
        return self.methods if self.reference is None else (*self.methods, self.reference)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for names in (self.images, self.scored):
            if len(set(names)) < len(names):
                raise ValueError("two images or two methods have one name")
        return self


class Rating(_Part):
    """The score that an observer gave to one result."""

    image: Word
    method: Word
    score: Annotated[int, Field(ge=1, le=5)]
    role: Role = "test"


class Preference(_Part):
    """One comparison of two methods."""

    image: Word
    methods: tuple[Word, Word]
    """As shown: left or above first."""
    preferred: Word
    role: Role = "test"

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if self.preferred not in self.methods or self.methods[0] == self.methods[1]:
            raise ValueError(f"{self.preferred!r} is not one of two different methods that were shown")
        return self

    @property
    def other(self) -> str:
        """The method that was not preferred."""
        return self.methods[0] if self.preferred == self.methods[1] else self.methods[1]


class Observer(_Part):
    """The person who answered, in one session."""

    name: Word
    session: Word
    """Random; two sessions of one name differ in it."""


class Session(_Part):
    """Everything that one observer answered in one session."""

    format: Literal["restore-opinions"]
    version: Literal[1]
    study: StudyInfo
    observer: Observer
    finished: bool = False
    """Whether the observer came to the end."""
    ratings: Annotated[tuple[Rating, ...], Field(max_length=100_000)] = ()
    """Answers of single and double stimulus."""
    preferences: Annotated[tuple[Preference, ...], Field(max_length=100_000)] = ()
    """Answers of pairs."""

    @model_validator(mode="after")
    def _answers_fit(self) -> Self:
        answers: Sequence[Rating | Preference] = self.preferences if self.study.method == "pairs" else self.ratings
        if len(answers) < len(self.ratings) + len(self.preferences):
            raise ValueError("has answers to another kind of study")
        images, methods = set(self.study.images), set(self.study.scored)
        seen = set()
        for answer in answers:
            shown = answer.methods if isinstance(answer, Preference) else (answer.method,)
            if not methods.issuperset(shown) or (answer.image not in images and answer.role != "training"):
                raise ValueError(
                    f"has an answer about {answer.image} of {', '.join(shown)}, which the study does not show"
                )
            key = (answer.image, frozenset(shown))
            if answer.role == "test" and key in seen:
                raise ValueError(f"has two answers about {answer.image} of {', '.join(shown)}")
            if answer.role == "test":
                seen.add(key)
        return self


def list_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files, each folder replaced by its .json files in natural order.

    Raises UsageError if a path does not exist, or a folder has no such file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted((each for each in path.glob("*.json") if each.is_file()), key=make_natural_key)
            if not inside:
                raise UsageError(f"{path}: has no .json file; give the files that observers saved")
            found += inside
        elif not path.exists():
            raise UsageError(f"{path}: no such file; give the files that observers saved")
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def read_session(path: Path) -> Session:
    """Read what an observer saved. Raises DataError if the file is damaged, or not such a file."""
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error
    if not content.strip():
        raise DataError(f"{path}: is empty; ask the observer to save the answers again")
    if len(content) > SIZE_LIMIT:
        raise DataError(f"{path}: has more than {SIZE_LIMIT >> 20} MiB, so it is not what an observer saved")
    try:
        return Session.model_validate_json(content)
    except ValidationError as error:
        raise DataError(f"{path}: is not what an observer saved: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    """Return what is wrong in one line of limited length, without control characters of the file."""
    return "".join(each if each.isprintable() else "?" for each in describe_wrong_values(error))[:300]
