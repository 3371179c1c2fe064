"""The files of the page: complete in every language, and without anything that its policy forbids."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from restore.cli import server

STATIC = Path(server.__file__).parent / "static"
LANGUAGES = {path.stem: json.loads(path.read_text("utf-8")) for path in STATIC.glob("*.json")}
SCRIPTS = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.js")}
PAGE = (STATIC / "index.html").read_text("utf-8")


def test_three_languages_have_the_same_texts_with_the_same_values():
    assert sorted(LANGUAGES) == ["de", "en", "zh"]
    assert "LANGUAGES = { en:" in SCRIPTS["texts.js"]
    for texts in LANGUAGES.values():
        assert texts.keys() == LANGUAGES["en"].keys()
        for name, text in texts.items():
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", LANGUAGES["en"][name]))


def test_every_text_is_used_and_every_used_text_is_there():
    source = PAGE + "".join(SCRIPTS.values())
    named = set(re.findall(r'data-(?:text|label|placeholder)="(\w+)"', PAGE))
    named |= set(re.findall(r'\b(?:text|label): "(\w+)"|\btext\("(\w+)"', source) and _words(source))
    known = set(LANGUAGES["en"])
    assert named <= known | set()
    begun = tuple(re.findall(r"\btext\(`(\w+-)\$\{", source))  # text(`state-${state}`)
    used = [name for name in known if re.search(rf'["\s{{]{name}["\s:]', source) or name.startswith(begun)]
    assert sorted(known - set(used)) == []


def _words(source: str) -> set[str]:
    found = re.findall(r'\b(?:text|label): "(\w+)"|\btext\("(\w+)"|\bbutton\("(\w+)"|\blabeled\("(\w+)"', source)
    return {word for words in found for word in words if word}


@pytest.mark.parametrize("name", ["index.html", *SCRIPTS])
def test_nothing_is_inline_or_from_elsewhere(name):
    text = (STATIC / name).read_text("utf-8")
    assert not re.search(r"\s(style|on\w+)=\"", text)
    assert "eval(" not in text
    assert "innerHTML" not in text
    assert [address for address in re.findall(r"https?://[^\s\"']+", text) if "www.w3.org" not in address] == []


def test_files_are_small_enough_to_read():
    assert max(len(text.splitlines()) for text in SCRIPTS.values()) < 300
