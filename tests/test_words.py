"""The project speaks the words of its field, and of one language."""

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(not (ROOT / "tools").is_dir(), reason="the tools are not installed")


@pytest.fixture(scope="module")
def tool() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tools" / "check_words.py"))


def test_no_retired_word_is_left(tool: dict[str, Any]) -> None:
    found = tool["check"](ROOT, tool["read_table"]())
    assert not found, "\n".join(str(each) for each in found)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("core/a.py", "def read_picture(): ...\n"),
        ("core/a.py", "class PictureFolder: ...\n"),
        ("core/a.py", "CRITICS = 1\n"),
        ("core/a.py", "val_share = 0.1\n"),
        ("core/a.py", "lr: float = 1\n'''The rate of the critic.'''\n"),
        ("core/a.py", "text = f'--grow {1}: is no number'\n"),
        ("core/a.py", "x = 1  # the neighbours of a pixel\n"),
        ("core/a.py", "def resized(image): ...\n"),
        ("plugins/x/a.py", "class A:\n    def _drawn_twice(self): ...\n"),
        ("core/pictures.py", ""),
        ("README.md", "restore train srgan --val-share 0.2\n"),
        ("README.md", "Normalisation by the mean.\n"),
        ("plugins/x/published.yaml", "# pictures of 256 pixels\n"),
    ],
)
def test_a_retired_word_is_found(tool: dict[str, Any], tmp_path: Path, file: str, content: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    (found,) = tool["check"](tmp_path, tool["read_table"]())
    assert found.file == file
    assert found.use in str(found)


@pytest.mark.parametrize(
    "content",
    [
        "hole = mask > 0.5\n",
        "# A Wasserstein critic.\n",
        "colorize = image_size\n",
        "class A:\n    @property\n    def trained(self): ...\n",
        "def embed(): ...\ndef seeded(): ...\nresized = 1\n",
    ],
)
def test_words_that_are_in_use_are_left_alone(tool: dict[str, Any], tmp_path: Path, content: str) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "a.py").write_text(content, encoding="utf-8")
    assert tool["check"](tmp_path, tool["read_table"]()) == []


@pytest.mark.parametrize("entry", ['[[retired]]\npart = "x"\n', '[[retired]]\nuse = "y"\n', '[[kept]]\nname = "x"\n'])
def test_an_entry_says_what_to_write_and_an_exception_why(tool: dict[str, Any], tmp_path: Path, entry: str) -> None:
    table = tmp_path / "words.toml"
    table.write_text(entry if "retired" in entry else "retired = []\n" + entry, encoding="utf-8")
    with pytest.raises(ValueError, match="needs"):
        tool["read_table"](table)
