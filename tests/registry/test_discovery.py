"""Which plugins are on offer, seen from the metadata on disk."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from restore.registry import Candidate, Discovery, discover


@pytest.fixture
def on_path(site: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(site.folder), *sys.path])
    return site


def offered(discovery: Discovery, name: str) -> list[Candidate]:
    return [candidate for candidate in discovery.candidates if candidate.name == name]


def test_the_built_in_families_are_plugins_like_any_other() -> None:
    names = {candidate.name for candidate in discover().candidates if candidate.built_in}
    assert {"classic", "common", "srgan"} <= names


def test_a_candidate_knows_its_distribution(on_path: Any) -> None:
    on_path.install("restore-demo", {}, {"demo": "restore_demo"}, version="2.5", requires=["restorekit>=0.1", "torch"])
    assert offered(discover(), "demo") == [
        Candidate("demo", "restore_demo", "restore-demo", "2.5", ("restorekit>=0.1", "torch"))
    ]


def test_other_entry_point_groups_are_left_alone(on_path: Any) -> None:
    on_path.install("not-ours", {}, {"demo": "demo"}, group="restore.plugins.old")
    assert not offered(discover(), "demo")


def test_a_distribution_on_the_path_twice_counts_once(on_path: Any, tmp_path: Path) -> None:
    second = type(on_path)(tmp_path / "second")
    on_path.install("restore-demo", {}, {"demo": "newer"}, version="2.0")
    second.install("restore.Demo", {}, {"demo": "older"}, version="1.0")
    sys.path.insert(1, str(second.folder))
    assert [candidate.value for candidate in offered(discover(), "demo")] == ["newer"]


def test_two_distributions_may_claim_one_name(on_path: Any) -> None:
    on_path.install("restore-one", {}, {"demo": "one"})
    on_path.install("restore-two", {}, {"demo": "two"})
    assert {candidate.distribution for candidate in offered(discover(), "demo")} == {"restore-one", "restore-two"}


def test_a_damaged_installation_is_a_warning_and_hides_no_other(on_path: Any) -> None:
    damaged = on_path.install("restore-damaged", {}, {"damaged": "damaged"})
    (damaged / "entry_points.txt").write_bytes(b"[restore.plugins]\ndamaged = \xff\xfe\n")
    on_path.install("restore-demo", {}, {"demo": "demo"})
    found = discover()
    assert offered(found, "demo")
    assert not offered(found, "damaged")
    assert [warning for warning in found.warnings if "cannot be read" in warning]


def test_a_distribution_without_plugins_has_its_metadata_left_alone(on_path: Any) -> None:
    other = on_path.install("not-ours", {}, {"demo": "demo"}, group="console_scripts")
    (other / "METADATA").write_bytes(b"\xff\xfe")
    assert discover().warnings == ()


def test_a_left_over_folder_without_metadata_has_no_distribution(on_path: Any) -> None:
    info = on_path.install("restore-demo", {}, {"demo": "demo"})
    (info / "METADATA").unlink()
    (candidate,) = offered(discover(), "demo")
    assert (candidate.distribution, candidate.version) == (None, None)
    assert candidate.source == "an unnamed distribution"


def test_folded_metadata_lines_are_read_whole_and_the_description_is_not_read(on_path: Any) -> None:
    info = on_path.install("restore-demo", {}, {"demo": "demo"})
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\r\nName: restore-demo\r\nVersion: 1.0\r\nRequires-Dist: restorekit\r\n  >=0.1\r\n"
        "\r\nRequires-Dist: restorekit>=99\r\n",
        newline="",
    )
    (candidate,) = offered(discover(), "demo")
    assert [line.replace(" ", "") for line in candidate.requires] == ["restorekit>=0.1"]


def test_a_distribution_that_declares_a_name_twice_is_at_fault(on_path: Any) -> None:
    info = on_path.install("restore-demo", {}, {"demo": "one"})
    (info / "entry_points.txt").write_text("[restore.plugins]\ndemo = one\ndemo = two\n")
    (candidate,) = offered(discover(), "demo")
    assert "twice: one, two" in candidate.error


def test_an_installation_without_families_still_knows_its_version() -> None:
    from restore.registry.discovery import own_version

    assert own_version([]) == version("restorekit")
    assert own_version([Candidate("srgan", "m", "Restorekit", "7.1")]) == "7.1"
