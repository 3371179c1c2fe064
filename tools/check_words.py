"""Find words that the project no longer uses: in names, flags, settings, help texts, messages and documents.

    python tools/check_words.py [ROOT]

``words.toml`` beside this file says which words are retired and what to write instead. Prints one line for each
place and exits with status 1 if there is any.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

TABLE = Path(__file__).with_name("words.toml")
FOLDERS = ("benchmarks", "cli", "core", "docs", "examples", "plugins", "registry", "tests", "tools")
SUFFIXES = {".md", ".py", ".pyi", ".toml", ".yaml"}
UNCHECKED = re.compile(r"^(tools/words\.toml|tests/test_words\.py)$|(^|/)(build|__pycache__|[^/]*\.egg-info)/")

_FUNCTION = re.compile(r"(?P<decorators>(?:^[ \t]*@.*\n)*)^[ \t]*(?:async )?def (?P<name>\w+)", re.MULTILINE)
_READ_LIKE_DATA = re.compile(r"@(\w+\.)*(property|cached_property|override)\b")
"""Decorators of methods that are read like data, or that are named elsewhere."""
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Retired:
    """A retired word."""

    kind: str
    """part, name, function, flag or text."""
    word: str
    use: str
    where: re.Pattern[str]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Pattern that finds the word in text; names are compared directly."""
        if self.kind == "flag":
            return re.compile(rf"(?<![\w-]){re.escape(self.word)}(?![\w-])")
        return re.compile(self.word, re.IGNORECASE)

    def is_in_name(self, name: str) -> bool:
        """Return whether a name is the word, contains it as a part, or is a function that begins with it."""
        if self.kind == "function":
            return re.fullmatch(self.word, name.strip("_").partition("_")[0]) is not None
        if self.kind == "name":
            return name == self.word
        return self.kind == "part" and not _parts(name).isdisjoint((self.word, self.word + "s", self.word + "d"))


@cache  # the same names come again and again
def _parts(name: str) -> frozenset[str]:
    return frozenset(part.lower() for part in _PARTS.findall(name))


@dataclass(frozen=True)
class Found:
    """A retired word in a file."""

    file: str
    line: int
    text: str
    use: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}: write {self.use}"


@dataclass(frozen=True)
class Words:
    """The table of retired words."""

    retired: tuple[Retired, ...]
    kept: tuple[tuple[str, re.Pattern[str]], ...]

    def is_kept(self, name: str, file: str) -> bool:
        """Return whether a name may stay although it contains a retired word."""
        return any(name == kept and where.search(file) for kept, where in self.kept)


def read_table(path: Path = TABLE) -> Words:
    """Read and check the table. Raises ValueError for an incomplete entry."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    retired = []
    for entry in table["retired"]:
        kinds = [kind for kind in ("part", "name", "function", "flag", "text") if kind in entry]
        if len(kinds) != 1 or not entry.get("use"):
            raise ValueError(f"{path}: an entry needs one of part, name, function, flag, text, and use: {entry}")
        where = re.compile(entry.get("where", ""))
        retired.append(Retired(kinds[0], entry[kinds[0]], entry["use"], where))
    for entry in table.get("kept", []):
        if not entry.get("name") or not entry.get("reason"):
            raise ValueError(f"{path}: what is kept needs a name and a reason: {entry}")
    kept = tuple((entry["name"], re.compile(entry.get("where", ""))) for entry in table.get("kept", []))
    return Words(tuple(retired), kept)


def files(root: Path) -> Iterator[Path]:
    """Yield the files of the project that people write."""
    yield from (path for path in sorted(root.iterdir()) if path.is_file() and path.suffix in SUFFIXES)
    for folder in FOLDERS:
        yield from (path for path in sorted((root / folder).rglob("*")) if path.suffix in SUFFIXES)


def check_file(path: Path, file: str, words: Words) -> Iterator[Found]:
    """Yield the retired words in one file, reported under the name ``file``."""
    here = [entry for entry in words.retired if entry.where.search(file)]
    in_names = [entry for entry in here if entry.kind in ("part", "name")]
    in_functions = [entry for entry in here if entry.kind == "function"]
    for part in file.removesuffix(path.suffix).split("/"):
        yield from (Found(file, 1, part, e.use) for e in in_names if e.kind == "part" and e.is_in_name(part))
    content = path.read_text(encoding="utf-8")
    in_text = [entry for entry in here if entry.kind in ("flag", "text") and entry.pattern.search(content)]
    retired: dict[str, list[Retired]] = {}
    for line, kind, text in _pieces(path, content):
        if kind == "name":
            if text not in retired:
                kept = words.is_kept(text, file)
                retired[text] = [] if kept else [entry for entry in in_names if entry.is_in_name(text)]
            yield from (Found(file, line, text, entry.use) for entry in retired[text])
        else:
            for entry in in_text:
                for match in entry.pattern.finditer(text):
                    yield Found(file, line + text.count("\n", 0, match.start()), match.group(0), entry.use)
    for line, name in _functions(content) if in_functions and path.suffix == ".py" else ():
        if not words.is_kept(name, file):
            yield from (Found(file, line, name, entry.use) for entry in in_functions if entry.is_in_name(name))


def _pieces(path: Path, content: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, ``name`` or ``text``, and content: names, strings and comments of Python separately, other files
    as text."""
    if path.suffix not in (".py", ".pyi"):
        yield 1, "text", content
        return
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], "name", token.string
        elif token.type not in (tokenize.OP, tokenize.NUMBER, tokenize.NEWLINE, tokenize.NL, tokenize.INDENT):
            yield token.start[0], "text", token.string


def _functions(content: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of every function and method of a module that is neither a property nor an override."""
    for match in _FUNCTION.finditer(content):
        if not _READ_LIKE_DATA.search(match["decorators"]):
            yield content.count("\n", 0, match.start("name")) + 1, match["name"]


def check(root: Path, words: Words) -> list[Found]:
    """Yield every retired word in a project."""
    found: list[Found] = []
    for path in files(root):
        file = path.relative_to(root).as_posix()
        if not UNCHECKED.search(file):
            found += check_file(path, file, words)
    return found


def main() -> int:
    """Check the project of this file, or a given folder."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    found = check(root, read_table())
    for each in found:
        print(each)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
