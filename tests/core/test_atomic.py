import os
from pathlib import Path

import pytest

from restore.core.atomic import atomic_write
from restore.core.errors import RestoreError


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(RestoreError, match="not a regular file"), atomic_write(pipe) as temporary:
        temporary.write_bytes(b"content")
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")

    def write() -> None:
        with atomic_write(file) as temporary:
            temporary.write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
