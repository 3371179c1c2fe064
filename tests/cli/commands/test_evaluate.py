"""``restore evaluate`` as a person and a program use it."""

import csv
import hashlib
import json
import re

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def data(tmp_path, photo):
    """Two images of noise; repeating every second pixel gives neither back."""
    photo("data/1.png", seed=1)
    photo("data/2.png", seed=2)
    return tmp_path / "data"


def errors(folder, power, gain=1.0, scale=2):
    """What the tasks of the plugin must score, computed from the files alone."""
    scored = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            target = np.asarray(image, np.float64) / 255
        kept = target[::scale, ::scale].repeat(scale, 0).repeat(scale, 1)
        scored.append((abs(kept * gain - target) ** power).mean())
    return scored


def test_a_table_has_a_line_for_each_and_says_the_convention(restore, weights, data):
    weights("run/best.safetensors", gain=0.5, phase="pretrain")
    status, out, err = restore("evaluate", "run", "repeat", "--data", "data")
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert out.startswith("2 images of data\n")
    assert lines[1] == ["mse", "(RGB)", "mae", "(RGB)"]
    assert lines[2] == ["run", *(f"{np.mean(errors(data, power, 0.5)):.4f}" for power in (2, 1))]
    assert lines[3] == ["repeat", *(f"{np.mean(errors(data, power)):.4f}" for power in (2, 1))]


def test_a_terminal_shows_the_same_numbers(restore, weights, data, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    weights("one [x]/best.safetensors", gain=0.5)
    arguments = ("evaluate", "one [x]", "repeat", "--data", "data")
    plain = restore(*arguments)[1].split()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    drawn = restore(*arguments)[1]
    assert "\x1b[1m" in drawn
    assert re.sub(r"\x1b\[[0-9;]*m", "", drawn).split() == plain


def test_a_table_that_is_too_wide_has_a_line_for_each_metric(restore, weights, data, monkeypatch):
    weights("a-long-name/best.safetensors", gain=0.5)
    monkeypatch.setenv("COLUMNS", "30")
    _, out, _ = restore("evaluate", "a-long-name", "repeat", "--data", "data")
    lines = [line.split() for line in out.splitlines()]
    assert lines[1] == ["a-long-name", "repeat"]
    values = [[f"{np.mean(errors(data, power, gain)):.4f}" for gain in (0.5, 1)] for power in (2, 1)]
    assert lines[2:] == [["mse", "(RGB)", *values[0]], ["mae", "(RGB)", *values[1]]]
    ends = [{match.end() for match in re.finditer(r"\S+", line)} for line in out.splitlines()[1:]]
    assert ends[0] < ends[1]
    assert ends[0] < ends[2]


def test_json_is_one_object_of_the_documented_shape(restore, data):
    status, out, _ = restore("evaluate", "repeat", "--data", "data", "--json", "--protocol", "only-mae")
    assert status == 0
    got = json.loads(out)
    numbers = ["task", "data", "images", "metrics", "per_image"]
    assert list(got) == [*numbers, "certainty", "intervals", "differences", "notes", "provenance"]
    assert (got["task"], got["data"], got["images"]) == ("upscaling_plugin/repeat", "data", 2)
    expected = errors(data, 1)
    (metric,) = got["metrics"]
    named = {"name": "mae", "convention": "RGB", "of": "repeat"}
    assert metric == {**named, "value": pytest.approx(np.mean(expected)), "images": 2, "left_out": 0}
    assert got["per_image"] == [
        {"image": str(index + 1), "name": "mae", "convention": "RGB", "of": "repeat", "value": pytest.approx(value)}
        for index, value in enumerate(expected)
    ]


def test_json_has_the_interval_of_each_number_and_of_the_difference(restore, weights, data):
    weights("run/best.safetensors", gain=0.5, phase="pretrain")
    arguments = ("evaluate", "run", "repeat", "--data", "data", "--protocol", "only-mae")
    _, out, _ = restore(*arguments, "--json")
    got = json.loads(out)
    one, other = errors(data, 1, 0.5), errors(data, 1)
    named = {"name": "mae", "convention": "RGB", "images": 2}
    # of two images the extreme draws are one of them twice, each in a quarter of all
    assert got["intervals"] == [
        {**named, "of": of, "low": pytest.approx(min(values)), "high": pytest.approx(max(values))}
        for of, values in (("run", one), ("repeat", other))
    ]
    differences = np.subtract(one, other)
    # both images say the same, and two swaps of four are as extreme as that
    (found,) = got["differences"]
    assert found.pop("p") == 0.5
    assert found == {
        **named,
        "of": "run",
        "minus": "repeat",
        "value": pytest.approx(differences.mean()),
        "low": pytest.approx(differences.min()),
        "high": pytest.approx(differences.max()),
    }
    _, shown, _ = restore(*arguments, "--intervals")
    assert f"mae (RGB) of run: {min(one):.4f} to {max(one):.4f} (2 images)" in shown
    assert f"mae (RGB) of run minus repeat: {differences.mean():+.4f}" in shown
    assert "p = 0.5 (2 images)" in shown
    assert "data: 95 % percentile bootstrap" in shown


def test_json_says_where_the_numbers_come_from(restore, weights, data):
    weights("run/best.safetensors", phase="pretrain")
    arguments = ("evaluate", "run", "repeat", "--data", "data", "--protocol", "only-mae", "--json")
    said = json.loads(restore(*arguments)[1])["provenance"]
    assert said["protocol"] == "only-mae"
    assert said["command"] == "restore evaluate run repeat --data data --protocol only-mae"
    assert json.loads(restore("evaluate", "run", "--data", "data", "--json")[1])["provenance"]["protocol"] == "both"
    run, method = said["models"]
    assert (run["of"], run["task"], run["phase"], run["scale"]) == ("run", "upscaling_plugin/twice", "pretrain", 2)
    assert run["weights_sha256"] == hashlib.sha256((data.parent / "run/best.safetensors").read_bytes()).hexdigest()
    assert (method["of"], method["phase"], method["weights_sha256"]) == ("repeat", None, None)
    assert {"restorekit", "torch", "pillow", "device", "git"} <= set(said["versions"])
    (data / "1.png").rename(data / "0.png")
    assert json.loads(restore(*arguments)[1])["provenance"]["data_sha256"] != said["data_sha256"]


def test_a_csv_file_has_a_row_for_each_image_and_metric(restore, data, tmp_path):
    status, _, err = restore("evaluate", "repeat", "--data", "data", "--csv", "out/values.csv")
    assert (status, err) == (0, "")
    with (tmp_path / "out/values.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["image"], row["metric"]) for row in rows] == [("1", "mse"), ("2", "mse"), ("1", "mae"), ("2", "mae")]
    assert {(row["data"], row["of"], row["convention"], row["scale"]) for row in rows} == {
        ("data", "repeat", "RGB", "2")
    }
    expected = [*errors(data, 2), *errors(data, 1)]
    assert [float(row["value"]) for row in rows] == pytest.approx(expected)
    status, out, err = restore("evaluate", "repeat", "--data", "data", "--csv", "out/values.csv")
    assert (status, out) == (2, "")
    assert "out/values.csv" in err


def test_several_folders_are_measured_in_one_call(restore, data, photo, tmp_path):
    photo("more/3.png", seed=3)
    folders = ("--data", "data", "--data", "more")
    alone = [json.loads(restore("evaluate", "repeat", "--data", each, "--json")[1]) for each in folders[1::2]]
    status, out, err = restore("evaluate", "repeat", *folders, "--json", "--csv", "values.csv")
    assert (status, err) == (0, "")
    together = json.loads(out)
    for one in [*alone, *together["sets"]]:
        assert one["provenance"].pop("command").startswith("restore evaluate repeat --data ")
    assert together == {"sets": alone}
    rows = list(csv.DictReader((tmp_path / "values.csv").read_text("utf-8").splitlines()))
    assert [(row["data"], row["image"]) for row in rows if row["metric"] == "mse"] == [
        *(("data", "1"), ("data", "2"), ("more", "3"))
    ]
    shown = restore("evaluate", "repeat", *folders)[1]
    assert "2 images of data\n" in shown
    assert "\n1 image of more\n" in shown


def test_the_table_of_a_paper_has_a_column_for_each_folder(restore, weights, data, photo):
    weights("run/best.safetensors", gain=0.5, phase="pretrain")
    photo("more_50%/3.png", seed=3)
    arguments = ("evaluate", "run", "repeat", "--data", "data", "--data", "more_50%", "--table")
    _, out, err = restore(*arguments, "markdown")
    assert err == ""
    cells = [[f"{np.mean(errors(data.parent / name, power)):.4f}" for power in (2, 1)] for name in ("data", "more_50%")]
    lines = out.splitlines()
    assert lines[:2] == ["|  | data | more_50% |", "| --- | --- | --- |"]
    assert lines[3] == f"| repeat x2 | {' / '.join(cells[0])} | {' / '.join(cells[1])} |"
    assert lines[5:] == ["mse (RGB) / mae (RGB) of data (2 images), more_50% (1 image)."]
    latex = restore(*arguments, "latex")[1]
    assert f"repeat x2 & {' / '.join(cells[0])} & {' / '.join(cells[1])} \\\\" in latex
    assert r"\caption{mse (RGB) / mae (RGB) of data (2 images), more\_50\% (1 image).}" in latex


def test_folders_of_one_name_have_their_paths_in_the_table_of_a_paper(restore, photo):
    photo("a/x2/1.png", seed=1)
    photo("b/x2/1.png", seed=2)
    _, out, _ = restore("evaluate", "repeat", "--data", "a/x2", "--data", "b/x2", "--table", "markdown")
    assert out.startswith("|  | a/x2 | b/x2 |")


def test_options_reach_every_task_that_has_them(restore, photo, tmp_path):
    photo("data/1.png", height=6, width=9)
    _, out, _ = restore("evaluate", "repeat", "--data", "data", "--json", "--scale", 3)
    assert json.loads(out)["metrics"][1]["value"] == pytest.approx(np.mean(errors(tmp_path / "data", 1, scale=3)))


def test_an_infinite_value_is_null_in_json(restore, tmp_path):
    (tmp_path / "data").mkdir()
    Image.new("RGB", (4, 4), "gray").save(tmp_path / "data" / "even.png")
    _, out, _ = restore("evaluate", "repeat", "--data", "data", "--json")
    got = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert [row["value"] for row in got["metrics"] + got["per_image"]] == [None] * 4
    assert "inf" in restore("evaluate", "repeat", "--data", "data")[1]


def owners(out):
    return list(dict.fromkeys(row["of"] for row in json.loads(out)["metrics"]))


def test_a_model_is_called_what_was_typed_whatever_is_measured_beside_it(restore, weights, data, tmp_path):
    weights("runs/one/best.safetensors", phase="pretrain")
    weights("runs/two/best.safetensors", phase="pretrain")
    weights("repeat.safetensors", phase="repeat")
    models = ["runs/one", "runs/two", "repeat.safetensors", "repeat"]
    together = owners(restore("evaluate", *models, "--data", "data", "--json")[1])
    alone = [owners(restore("evaluate", model, "--data", "data", "--json")[1]) for model in models]
    assert [[label] for label in together] == alone == [[model] for model in models]
    table = restore("evaluate", "runs/one/", "repeat", "--data", "data", "--csv", "values.csv")[1]
    assert [line.split()[0] for line in table.splitlines()[2:]] == ["runs/one", "repeat"]
    rows = csv.DictReader((tmp_path / "values.csv").read_text("utf-8").splitlines())
    assert {row["of"] for row in rows} == {"runs/one", "repeat"}


def test_one_model_by_two_names_is_refused(restore, weights, data):
    weights("run/best.safetensors")
    status, out, err = restore("evaluate", "run", "run/best.safetensors", "--data", "data")
    assert (status, out) == (2, "")
    assert "run is given twice, also as run/best.safetensors" in err
    assert (
        "repeat is given twice, also as upscaling_plugin/repeat"
        in restore(*("evaluate", "repeat", "upscaling_plugin/repeat", "--data", "data"))[2]
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["repeat", "--data", "absent"], "absent: no such folder"),
        (["repeat", "--data", ""], "--data: expected a file or a folder, got an empty string"),
        (["", "--data", "data"], "expected a run folder, a weights file or the name"),
        (["repeat", "--data", "plugins.toml"], "plugins.toml: is a file, not a folder"),
        (["repeat", "--data", "empty"], "empty: no images"),
        (["repeat", "--data", "data", "--protocol", "y"], "no such protocol; it has both, only-mae"),
        (["repeat", "repeat", "--data", "data"], "repeat is given twice"),
        (["none.safetensors", "--data", "data"], "none.safetensors"),
        (["twice", "--data", "data"], "twice"),
    ],
)
def test_wrong_usage_is_said_in_one_message(restore, data, tmp_path, arguments, said):
    (tmp_path / "empty").mkdir()
    status, out, err = restore("evaluate", *arguments)
    assert (status, out) == (2, "")
    assert said in err


def test_a_damaged_image_of_the_data_is_named(restore, data):
    (data / "3.png").write_text("no image")
    status, out, err = restore("evaluate", "repeat", "--data", "data", "--json")
    assert status == 1
    assert "data/3.png: is not an image" in err
    found = json.loads(out)
    assert found["images"] == len({row["image"] for row in found["per_image"]}) == len(list(data.iterdir())) - 1
    assert f"1 of {found['images'] + 1} images could not be measured" in err


@pytest.fixture
def measured(monkeypatch):
    """Whose images have been measured so far."""
    from restore.core import evaluation

    done = []
    measure = evaluation.evaluate
    monkeypatch.setattr(
        evaluation, "evaluate", lambda *all_, of, **more: done.append(of) or measure(*all_, of=of, **more)
    )
    return done


def test_all_is_checked_before_anything_is_measured(restore, weights, data, measured, tmp_path):
    whole = weights("late.safetensors").read_bytes()
    (tmp_path / "late.safetensors").write_bytes(whole[:-2] + b"xx")
    status, _, err = restore("evaluate", "repeat", "late.safetensors", "--data", "data")
    assert status == 1
    assert "late.safetensors: damaged" in err
    assert measured == []


def test_other_images_are_refused_in_words_that_fit(restore, weights, photo, measured, monkeypatch):
    photo("data/1.png")
    photo("validation/1.png")
    monkeypatch.setattr("upscaling_plugin.Pairs.name", lambda self, index: f"{index} {self.scale}")
    two = ("evaluate", weights("two.safetensors"), weights("three.safetensors", scale=3))
    with_data, without = (restore(*two, *more) for more in (("--data", "data"), ()))
    assert (with_data[0], without[0]) == (2, 2)
    assert "would be measured on other images in data than" in with_data[2]
    assert with_data[2].endswith("; evaluate each on its own\n")
    assert without[2].endswith("; give --data\n")
    assert measured == []


def config(run, **settings):
    """Write the file by which a run is known."""
    text = "".join(f"{name}: {value}\n" for name, value in settings.items())
    (run / "config.yaml").write_text("run:\n  task: upscaling_plugin/twice\n" + text)


@pytest.mark.parametrize("named", ["run", "run/best.safetensors"])
def test_a_run_is_never_measured_on_a_sample_that_it_was_not_trained_on(restore, weights, data, photo, tmp_path, named):
    weights("run/best.safetensors")
    config(tmp_path / "run", data="/photos/my own", val_data="null")
    status, out, err = restore("evaluate", "repeat", named)
    assert (status, out) == (2, "")
    assert f"{named} was trained on /photos/my own; give the images to measure on: --data FOLDER" in err
    assert restore("evaluate", named, "--data", "data")[0] == 0
    config(tmp_path / "run", data="/photos", val_data="/held-out")
    assert "was trained on /photos; give the images to measure on: --data /held-out" in restore("evaluate", named)[2]
    config(tmp_path / "run", data="null", val_data="null")
    photo("validation/1.png")
    status, out, _ = restore("evaluate", named)
    assert status == 0
    assert out.startswith("1 image of the built-in sample\n")


def test_a_settings_file_beside_weights_makes_no_run_of_them(restore, weights, photo, tmp_path):
    photo("validation/1.png")
    (tmp_path / "config.yaml").write_text("data: photos\n")
    assert restore("evaluate", weights())[0] == 0
