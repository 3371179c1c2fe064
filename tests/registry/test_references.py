"""References are followed on use; one that leads nowhere says whose it is and where it breaks."""

from __future__ import annotations

import json.decoder
import sys
from pathlib import Path

import pytest

from restore.registry import Entry, LossSpec, MissingReference, resolve_reference


def entry(reference: str, settings: str | None = None, distribution: str | None = "restore-demo") -> Entry:
    return Entry("demo", LossSpec("l1", reference, role="pixel", settings=settings), distribution)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_reference_is_a_module_and_attributes() -> None:
    assert resolve_reference("json.decoder:JSONDecoder.decode") is json.decoder.JSONDecoder.decode
    assert resolve_reference("json.decoder") is json.decoder


def test_an_entry_imports_nothing_before_it_is_used(folder: Path) -> None:
    (folder / "imported_late.py").write_text("value = 5\n")
    late = entry("imported_late:value")
    assert "imported_late" not in sys.modules
    assert late.load() == 5
    del sys.modules["imported_late"]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no_such_module.loss:L1", "refers to 'no_such_module.loss:L1', but there is no module 'no_such_module'"),
        ("json.no_such_module:L1", "but there is no module 'json.no_such_module'"),
        ("json.decoder:NoSuch", "but module 'json.decoder' has no 'NoSuch'"),
        ("json.decoder:JSONDecoder.no_such", "but module 'json.decoder' has no 'JSONDecoder.no_such'"),
    ],
)
def test_a_reference_that_leads_nowhere_names_its_plugin(reference: str, message: str) -> None:
    with pytest.raises(MissingReference) as caught:
        entry(reference).load()
    assert message in str(caught.value)
    assert "loss 'demo/l1' of plugin 'demo' (distribution restore-demo)" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_library", "failed with ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(1)", "failed with SystemExit: 1"),
        ("def f(:", "failed with SyntaxError"),
        ("import json\njson.no_such_attribute", "failed with AttributeError: module 'json' has no attribute"),
        (
            "def __getattr__(name):\n    raise RuntimeError('lazy ' + name)",
            "failed with RuntimeError: lazy ",
        ),
    ],
)
def test_a_module_that_fails_to_import_says_how(source: str, message: str, folder: Path) -> None:
    (folder / "fails_late.py").write_text(source)
    try:
        with pytest.raises(MissingReference, match="importing 'fails_late:value' failed with") as caught:
            entry("fails_late:value").load()
    finally:
        sys.modules.pop("fails_late", None)
    assert message in str(caught.value)


def test_an_interrupt_while_a_big_module_is_imported_is_the_persons_own(folder: Path) -> None:
    (folder / "interrupted_late.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        entry("interrupted_late:value").load()


def test_what_a_module_prints_goes_to_standard_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "chatty_late.py").write_text("print('loading')\nvalue = 5\n")
    entry("chatty_late:value").load()
    del sys.modules["chatty_late"]
    assert capsys.readouterr() == ("", "loading\n")


def test_settings_are_followed_like_the_object() -> None:
    assert entry("math:pi", settings="json.decoder:JSONDecoder").locate("settings") is json.decoder.JSONDecoder
    with pytest.raises(MissingReference, match="no module 'gone'"):
        entry("math:pi", settings="gone:Settings").locate("settings")


def test_a_reference_that_was_not_registered_says_so() -> None:
    with pytest.raises(MissingReference, match="registers no 'predict'"):
        entry("math:pi").locate("predict")


def test_a_local_plugins_entry_says_that_it_is_local() -> None:
    with pytest.raises(MissingReference, match="a local module"):
        entry("gone:L1", distribution=None).load()
