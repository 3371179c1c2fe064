"""The messages that docs/errors.md explains are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MESSAGES = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def source() -> str:
    """All code as one text, in which strings that stand below one another are one string."""
    rooms = ("core", "registry", "cli", "plugins")
    text = "\n".join(path.read_text("utf-8") for room in rooms for path in sorted((ROOT / room).rglob("*.py")))
    return re.sub(r'"\s*\n\s*f?"', "", text)


def test_many_messages_are_explained() -> None:
    assert len(MESSAGES) > 30


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_is_in_the_code(message: str, source: str) -> None:
    words = [re.escape(part) for part in message.split("…")]
    assert re.search(r"[^\n]*".join(words), source), "an error changed: edit docs/errors.md"
