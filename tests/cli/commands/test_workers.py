"""Several processes share the images of ``restore predict`` and ``restore evaluate``."""

import json

import pytest


def results(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_processes_write_the_same_bytes_and_a_dead_one_is_named(restore, photo, tmp_path):
    for name in ("a", "b", "unwanted"):
        photo(f"in/{name}.png")
    assert restore("predict", "repeat", "in", "--output", "one", "--scale", 3)[0] == 1
    photo("in/deadly.png")
    status, out, err = restore("predict", "repeat", "in", "--output", "two", "--scale", 3, "--workers", 2)
    assert status == 1
    assert results(tmp_path / "two") == results(tmp_path / "one")
    assert sorted(line.split(" ->")[0] for line in out.splitlines()) == ["in/a.png"] * 2 + ["in/b.png"] * 2
    assert "in/unwanted.png: this one is not wanted" in err
    assert "in/deadly.png: the process that worked on it was killed (SIGKILL); fewer --workers need less memory" in err
    assert "2 images written to two, 2 failed; " in err
    assert err.splitlines()[-1] == "Error: 2 of 4 images could not be processed"


@pytest.mark.slow
def test_a_result_in_the_way_of_one_process_ends_all(restore, photo, tmp_path):
    photo("in/a.png")
    photo("in/b.png")
    photo("out/b-bright.png")  # a part that is not known before
    status, _, err = restore("predict", "repeat", "in", "--output", "out", "--workers", 2)
    assert status == 2
    assert "out/b-bright.png: already exists" in err
    assert not (tmp_path / "out" / "b.png").exists()


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_number_of_processes(restore, weights, photo, tmp_path):
    for number in range(5):
        photo(f"data/{number}.png", 12, 12, seed=number)
    (tmp_path / "data" / "bad.png").write_text("no image")
    arguments = ("evaluate", weights(), "repeat", "--data", "data", "--json")
    one, two = (restore(*arguments, "--workers", count) for count in (1, 2))
    assert one[0] == two[0]
    assert json.loads(one[1]) == json.loads(two[1])
    assert one[1] == two[1]
    assert one[2] == two[2]
