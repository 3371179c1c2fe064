"""What pydantic says reaches a person as plain words."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from restore.core.wrong_values import clean_message, describe_wrong_values


class Inner(BaseModel):
    size: int = 1

    @field_validator("size")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even: 2, 4 or 6")
        return value


class Outer(BaseModel):
    name: str
    inner: Inner = Inner()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "x", "inner": {"size": 3}}, "inner.size: must be even: 2, 4 or 6"),
        ({"name": "x", "inner": {"size": "wide"}}, "inner.size: should be a valid integer"),
        ({"name": 1, "inner": {"size": 3}}, "name: should be a valid string; inner.size: must be even: 2, 4 or 6"),
    ],
)
def test_every_wrong_value_is_told_with_its_place(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(values)
    assert describe_wrong_values(caught.value) == said


def test_a_message_behind_a_name_loses_the_same_words() -> None:
    typed = "Invalid value for '--port': Input should be a valid integer, unable to parse string as an integer."
    assert clean_message(typed) == "Invalid value for '--port': should be a valid integer."
    assert clean_message("a value of Input should stay") == "a value of Input should stay"
