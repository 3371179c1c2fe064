"""YAML of anybody: what no settings file has is refused, in time and within memory."""

from __future__ import annotations

import pytest

from restore.core.yaml_text import InvalidYaml, parse_yaml

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "has more than"),
        ("a: &a [*a]", "contains itself"),
        ("[" * 3000, "invalid YAML"),
        ("{a: " * 100 + "1" + "}" * 100, "nested too deep"),
        ("a: !!float x", "quote it"),
        ("a: !!timestamp x", "invalid YAML"),
        ("a: 2001-99-99", "looks like a date or a number"),
        ("? [a, b]\n: 1", "invalid YAML|no text"),
        ("2001-01-01: 1", "is no text"),
        ("a: 1\nb: 2\na: 3", "'a' is set twice"),
        ("a: !!python/object/apply:os.system [true]", "invalid YAML"),
        ("a: \x00", "invalid YAML"),
    ],
)
def test_what_no_settings_file_has_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidYaml, match=said):
        parse_yaml(text)


def test_lines_are_named() -> None:
    with pytest.raises(InvalidYaml) as caught:
        parse_yaml("a: 1\nb: [\n")
    assert caught.value.line == 3


def test_plain_settings_are_read() -> None:
    text = "a: &a [1, 2.5, yes]\nb: {c: *a, d: null}\n4: x\n"
    assert parse_yaml(text) == {"a": [1, 2.5, True], "b": {"c": [1, 2.5, True], "d": None}, 4: "x"}
