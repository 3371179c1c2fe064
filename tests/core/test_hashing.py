"""Checksums and versions, which several modules ask for."""

from __future__ import annotations

from restore.core.hashing import hash_file
from restore.core.versions import find_version


def test_the_hash_of_a_file_is_its_sha256(tmp_path):
    file = tmp_path / "empty"
    file.touch()
    assert hash_file(file) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_distribution_that_is_not_installed_has_no_version():
    assert find_version("restorekit")
    assert find_version("no-such-distribution") is None
