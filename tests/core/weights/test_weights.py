"""Weights files rebuild their networks, and damage is always noticed."""

import contextlib
import json
import pickle
import subprocess
import sys
import tempfile

import pytest
import torch
import untrained
from built import networks_of
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn
from untrained import ModelSettings, SmallSettings

from restore.core.atomic import writable_folder
from restore.core.errors import RestoreError, UsageError, WeightsError
from restore.core.metrics import MetricResult
from restore.core.weights.files import open_weights, save_weights
from restore.core.weights.header import find_weights, read_header
from restore.core.weights.safetensors_format import safetensors_header


class Small(untrained.Small):
    def training_networks(self):
        return {"discriminator": nn.Linear(2, 1)}


def resolve(kind, name):
    assert kind == "tasks"
    if name != "small/small":
        raise LookupError(f"no task {name!r}")
    return Small


def exported(task):
    return {"generator": networks_of(task).generator}


def saved(path, channels=4, **changes):
    task = Small(SmallSettings(model={"channels": channels}))
    given = {"task": "small/small", "model": task.settings.model.model_dump(mode="json"), "networks": exported(task)}
    return task, save_weights(path, **{**given, **changes})


def test_a_weights_file_rebuilds_its_networks(tmp_path):
    task, path = saved(
        tmp_path / "w.safetensors", phase="pretrain", numbers=[MetricResult("psnr", "Y", "pretrain", 30.5)]
    )
    opened, networks = open_weights(path, resolve)
    assert opened.settings.model.channels == 4
    assert list(networks) == ["generator"]
    for key, tensor in networks_of(task)["generator"].state_dict().items():
        assert torch.equal(networks.generator.state_dict()[key], tensor)
    assert not networks.generator.training
    assert not any(parameter.requires_grad for parameter in networks.generator.parameters())


def test_the_header_tells_what_the_file_is(tmp_path):
    numbers = [
        MetricResult("psnr", "Y", "pretrain", 30.5),
        {"name": "ssim", "convention": "Y", "of": "pretrain", "value": 1.0},
    ]
    header = read_header(saved(tmp_path / "w.safetensors", phase="pretrain", numbers=numbers)[1])
    assert (header.task, header.model, header.phase) == ("small/small", {"channels": 4}, "pretrain")
    named = {"name": "psnr", "convention": "Y", "of": "pretrain"}
    assert header.numbers[0] == {**named, "value": 30.5, "images": None, "left_out": 0}
    assert header.numbers[1]["name"] == "ssim"
    assert header.versions["torch"] == torch.__version__


def test_the_header_is_read_without_torch(tmp_path):
    path = saved(tmp_path / "w.safetensors")[1]
    code = (
        "import sys, pathlib; from restore.core.weights.header import read_header;"
        f"print(read_header(pathlib.Path({str(path)!r})).task);"
        "print([name for name in ('torch', 'numpy', 'pydantic', 'safetensors') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["small/small", "[]"]


def test_options_reach_the_task(tmp_path):
    predict, evaluate = ModelSettings(channels=9), ModelSettings(channels=8)
    task, _ = open_weights(saved(tmp_path / "w.safetensors")[1], resolve, predict=predict, evaluate=evaluate)
    assert (task.predict_options, task.evaluate_options) == (predict, evaluate)


def test_networks_that_share_parameters_are_saved_whole(tmp_path):
    task = Small(SmallSettings())
    networks_of(task)["generator"][1].bias = networks_of(task)["generator"][1].weight
    path = save_weights(tmp_path / "w.safetensors", task="small/small", model={"channels": 3}, networks=exported(task))
    generator = open_weights(path, resolve)[1].generator
    assert torch.equal(generator[1].bias, generator[1].weight)


def test_half_precision_states_are_taken_as_they_are(tmp_path):
    state = {
        key: tensor.bfloat16() for key, tensor in Small(SmallSettings()).networks()["generator"].state_dict().items()
    }
    path = save_weights(
        tmp_path / "w.safetensors", task="small/small", model={"channels": 3}, networks={"generator": state}
    )
    generator = open_weights(path, resolve)[1].generator
    assert torch.equal(generator[0].weight, state["0.weight"].float())


# --- what does not fit ----------------------------------------------------------------------------------------


def test_every_key_that_does_not_fit_is_named(tmp_path):
    state = Small(SmallSettings()).networks()["generator"].state_dict()
    state["0.extra"] = torch.zeros(2)
    state["0.weight"] = torch.zeros(5, 3, 3, 3)
    del state["1.bias"]
    path = saved(tmp_path / "w.safetensors", channels=3, networks={"generator": state})[1]
    with pytest.raises(WeightsError) as caught:
        open_weights(path, resolve)
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == [
        "missing: generator.1.bias (3,)",
        "unexpected: generator.0.extra (2,)",
        "misshapen: generator.0.weight is (5, 3, 3, 3), not (3, 3, 3, 3)",
    ]


def test_weights_of_a_task_that_is_not_here_say_whose_they_are(tmp_path):
    path = saved(tmp_path / "w.safetensors", task="other/other")[1]
    with pytest.raises(WeightsError, match=r"made for the task 'other/other'.*no task 'other/other'"):
        open_weights(path, resolve)


def test_settings_that_the_task_does_not_know_are_named(tmp_path):
    path = saved(tmp_path / "w.safetensors", model={"depth": 4})[1]
    with pytest.raises(WeightsError, match=r"do not fit the task Small: model\.depth: Extra inputs"):
        open_weights(path, resolve)


# --- bad files ------------------------------------------------------------------------------------------------


class Hostile:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


@pytest.mark.parametrize("kind", ["zip", "legacy", "bare"])
def test_a_pickle_is_refused_with_the_line_that_imports_it(tmp_path, kind):
    path = tmp_path / "my net.pth"
    if kind == "bare":
        path.write_bytes(pickle.dumps(Hostile()))
    else:
        torch.save({"x": Hostile()}, path, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(WeightsError, match=r"restore import '.*my net\.pth' --output 'my net\.safetensors'"):
        read_header(path)


def test_foreign_safetensors_are_refused_with_the_line_that_imports_them(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "x.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"names no task\.\n.*\n.*--output x-imported\.safetensors"):
        read_header(tmp_path / "x.safetensors")


@pytest.mark.parametrize("keep", [0, 4, 8, 100, -1])
def test_a_file_that_was_cut_off_is_refused(tmp_path, keep):
    path = saved(tmp_path / "w.safetensors")[1]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match=r"empty|truncated"):
        read_header(path)


def test_one_changed_bit_of_the_numbers_is_noticed(tmp_path):
    path = saved(tmp_path / "w.safetensors")[1]
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    assert read_header(path).task == "small/small"
    with pytest.raises(WeightsError, match="checksum of its tensors is wrong"):
        open_weights(path, resolve)


def test_weights_that_a_training_replaces_meanwhile_are_not_called_damaged(tmp_path):
    path = saved(tmp_path / "w.safetensors")[1]

    def resolve_slowly(kind, name):
        saved(path)  # with other random values
        return resolve(kind, name)

    with pytest.raises(WeightsError, match="other weights replaced it while it was read; repeat"):
        open_weights(path, resolve_slowly)
    open_weights(path, resolve)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_damaged_file_never_ends_in_anything_but_a_clear_error(tmp_path_factory, data):
    task, path = saved(tmp_path_factory.mktemp("damaged") / "w.safetensors")
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with contextlib.suppress(RestoreError):
        # A changed letter of a version or of a measured number says nothing about the networks.
        opened = open_weights(path, resolve)[1].generator.state_dict()
        assert all(tensor.equal(opened[key]) for key, tensor in networks_of(task)["generator"].state_dict().items())


def rewritten(path, entry):
    """The same file with another ``restore`` entry."""
    save_file({"a": torch.zeros(1)}, path, metadata={"restore": entry})
    return path


@pytest.mark.parametrize("entry", ["no json", "[]", json.dumps({"task": 3, "model": {}}), json.dumps({"task": "a"})])
def test_an_entry_that_says_nothing_sensible_is_refused(tmp_path, entry):
    with pytest.raises(WeightsError, match="'restore' entry"):
        read_header(rewritten(tmp_path / "w.safetensors", entry))


def test_a_newer_entry_is_not_misread(tmp_path):
    entry = {"task": "a", "model": {}, "numbers": [], "versions": {}, "layout": 2}
    with pytest.raises(WeightsError, match="this version of restore does not understand"):
        read_header(rewritten(tmp_path / "w.safetensors", json.dumps(entry)))


# --- finding and writing --------------------------------------------------------------------------------------


def test_a_run_means_its_best_weights(tmp_path):
    path = saved(tmp_path / "best.safetensors")[1]
    assert find_weights(tmp_path) == path
    assert find_weights(path) == path


def test_what_is_no_run_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="no such file or folder"):
        find_weights(tmp_path / "none")
    with pytest.raises(UsageError, match="not a run"):
        find_weights(tmp_path)
    (tmp_path / "config.yaml").touch()
    with pytest.raises(UsageError, match=r"has no best\.safetensors yet"):
        find_weights(tmp_path)
    with pytest.raises(UsageError, match="is a folder"):
        read_header(tmp_path)
    with pytest.raises(UsageError, match="no such file"):
        read_header(tmp_path / "none")


def test_weights_that_cannot_be_written_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("restore.core.atomic.os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(RestoreError, match="the disk is full"):
        saved(tmp_path / "w.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_and_tried_before_work_begins(tmp_path, monkeypatch):
    assert writable_folder(tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        writable_folder(tmp_path / "file")
    with pytest.raises(UsageError, match="is not a folder"):
        writable_folder(tmp_path / "file" / "below")
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: (_ for _ in ()).throw(OSError(30, "ro")))
    with pytest.raises(RestoreError, match="cannot be written to: the file system is read-only"):
        writable_folder(tmp_path / "a")


def test_an_architecture_whose_plugin_is_missing_says_what_to_install(tmp_path):
    class Elsewhere(Small):
        def networks(self):
            raise LookupError("no plugin is called 'moon'")

    _, path = saved(tmp_path / "w.safetensors", plugins={"moon": "restore-moon==1.0", "small": None})
    with pytest.raises(WeightsError, match=r"no plugin is called 'moon'\n.* pip install restore-moon==1.0"):
        open_weights(path, lambda *_: Elsewhere)
    _, path = saved(tmp_path / "w.safetensors")
    with pytest.raises(LookupError, match="no plugin is called 'moon'"):
        open_weights(path, lambda *_: Elsewhere)


def test_metadata_have_one_entry_so_that_their_order_is_always_the_same(tmp_path):
    _, path = saved(tmp_path / "w.safetensors")
    assert list(safetensors_header(path)["__metadata__"]) == ["restore"]
