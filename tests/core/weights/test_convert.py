"""Checkpoints of other programs: everything that fits comes in, everything else is named, nothing is run."""

import os
import pickle
from collections import OrderedDict

import pytest
import torch
import untrained
from safetensors.torch import save_file
from torch import nn

from restore.core.errors import UsageError, WeightsError
from restore.core.hashing import hash_file
from restore.core.settings import RunSettings
from restore.core.weights.convert import Converter, ConvertibleTask, import_recognized, import_weights
from restore.core.weights.files import open_weights, save_weights
from restore.core.weights.header import read_header
from restore.core.weights.read_checkpoint import read_checkpoint
from restore.core.weights.trials import Conversion, Request, Rule, Target


class ClampedModel(untrained.ModelSettings):
    clamp: bool = False


class ClampedSettings(RunSettings):
    model: ClampedModel = ClampedModel()


class Small(untrained.Small):
    settings_type = ClampedSettings


def converter(first, norm, **model):
    """A converter that calls the two layers by these names."""

    def convert(state):
        names = {first: "generator.0", norm: "generator.1"}
        renamed = {}
        for key, tensor in state.items():
            layer, _, parameter = key.rpartition(".")
            renamed[f"{names[layer]}.{parameter}" if layer in names else key] = tensor
        if "generator.0.weight" not in renamed:
            raise WeightsError("its first layer is not there")
        return {"channels": len(renamed["generator.0.weight"]), **model}, renamed

    return Converter(f"Calls them {first} and {norm}.", convert)


CONVERTERS = {"german": converter("faltung", "norm"), "french": converter("convolution", "norm")}


def checkpoint(first="faltung", norm="norm", channels=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return OrderedDict(
        {
            f"{first}.weight": torch.rand(channels, 3, 3, 3, generator=generator),
            f"{first}.bias": torch.rand(channels, generator=generator),
            f"{norm}.weight": torch.rand(channels, generator=generator),
            f"{norm}.bias": torch.rand(channels, generator=generator),
            f"{norm}.running_mean": torch.rand(channels, generator=generator),
            f"{norm}.running_var": torch.rand(channels, generator=generator),
            f"{norm}.num_batches_tracked": torch.tensor(7),
        }
    )


def brought_in(folder, content, converters=CONVERTERS, **options):
    source = folder / "foreign.pth"
    torch.save(content, source)
    output = folder / "ours.safetensors"
    given = {"task": "small/small", "task_type": Small, "converters": converters, **options}
    return import_weights(source, output, **given)


def test_a_foreign_checkpoint_becomes_a_weights_file(tmp_path):
    state = checkpoint()
    report = brought_in(tmp_path, state)
    assert (report.converter, report.loaded, report.notes, report.differences) == ("german", 7, [], [])
    assert report.model == {"channels": 5, "clamp": False}
    header = read_header(report.output)
    assert header.task == "small/small"
    assert header.versions["imported_from"] == "german"
    task, networks = open_weights(report.output, lambda kind, name: Small)
    assert task.settings.model.channels == 5
    assert torch.equal(networks.generator[0].weight, state["faltung.weight"])
    assert torch.equal(networks.generator[1].running_var, state["norm.running_var"])


def test_half_precision_parameters_come_in(tmp_path):
    state = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in checkpoint().items()}
    report = brought_in(tmp_path, state)
    weight = open_weights(report.output, lambda kind, name: Small)[1].generator[0].weight
    assert torch.equal(weight, state["faltung.weight"].float())


def test_the_one_converter_that_fits_is_found(tmp_path):
    assert brought_in(tmp_path, checkpoint("convolution")).converter == "french"


def test_converters_that_read_the_same_networks_are_no_choice(tmp_path):
    same = {**CONVERTERS, "austrian": CONVERTERS["german"]}
    assert brought_in(tmp_path, checkpoint(), same).converter == "german"


def test_converters_that_read_different_networks_must_be_chosen_from(tmp_path):
    different = {**CONVERTERS, "swiss": converter("faltung", "norm", clamp=True)}
    with pytest.raises(UsageError, match="choose one with --from: german, swiss"):
        brought_in(tmp_path, checkpoint(), different)
    assert brought_in(tmp_path, checkpoint(), different, converter="swiss").model["clamp"] is True


# --- wrappers and prefixes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapper", ["state_dict", "params", "params_ema", "model", "generator", "ema_state_dict"])
def test_the_usual_wrappers_are_taken_off(tmp_path, wrapper):
    report = brought_in(tmp_path, {"epoch": 3, wrapper: checkpoint(), "optimizer": {"lr": 0.1}})
    assert report.notes == [f"used: {wrapper}"]


def test_an_unusual_wrapper_is_taken_off_when_it_is_the_only_one(tmp_path):
    assert brought_in(tmp_path, {"epoch": 3, "my_net": {"inner": checkpoint()}}).notes == [
        "used: my_net",
        "used: my_net/inner",
    ]


def test_averaged_weights_go_first_and_the_others_are_mentioned(tmp_path):
    report = brought_in(tmp_path, {"params": checkpoint(seed=1), "params_ema": checkpoint(seed=2)})
    assert report.notes == ["used: params_ema (the file also contains params)"]
    weight = open_weights(report.output, lambda kind, name: Small)[1].generator[0].weight
    assert torch.equal(weight, checkpoint(seed=2)["faltung.weight"])


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "module.module."])
def test_prefixes_of_parallel_and_compiled_networks_are_taken_off(tmp_path, prefix):
    report = brought_in(tmp_path, {f"{prefix}{key}": tensor for key, tensor in checkpoint().items()})
    assert (report.loaded, report.differences) == (7, [])


def test_the_counter_of_averaged_weights_is_left_out_and_mentioned(tmp_path):
    state = {"n_averaged": torch.tensor(9), **{f"module.{key}": tensor for key, tensor in checkpoint().items()}}
    assert brought_in(tmp_path, state).notes == ["skipped: n_averaged (counter of averaged weights)"]


def test_a_prefix_that_only_some_names_have_is_part_of_the_names(tmp_path):
    state = checkpoint()
    state["module.extra"] = torch.zeros(1)
    with pytest.raises(WeightsError, match=r"unexpected: module\.extra"):
        brought_in(tmp_path, state)


def test_what_is_no_tensor_is_mentioned(tmp_path):
    assert brought_in(tmp_path, {**checkpoint(), "version": 3}).notes == ["skipped: version (not a tensor)"]


def test_the_counter_that_old_checkpoints_lack_is_filled_in_and_mentioned(tmp_path):
    state = checkpoint()
    del state["norm.num_batches_tracked"]
    assert brought_in(tmp_path, state).notes == [
        "filled in: generator.1.num_batches_tracked, which old checkpoints lack"
    ]


def test_safetensors_of_others_come_in_too(tmp_path):
    source = tmp_path / "foreign.bin"
    save_file(checkpoint(), source)
    given = {"task": "small/small", "task_type": Small, "converters": CONVERTERS}
    assert import_weights(source, tmp_path / "ours.safetensors", **given).loaded == 7


# --- what does not fit ----------------------------------------------------------------------------------------


def unfit():
    state = checkpoint()
    del state["norm.bias"]
    state["head.weight"] = torch.zeros(2, 2)
    state["faltung.bias"] = torch.zeros(9)
    return state


def test_every_key_that_does_not_fit_is_named_and_nothing_is_written(tmp_path):
    with pytest.raises(WeightsError) as caught:
        brought_in(tmp_path, unfit())
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert lines[1:4] == [
        "missing: generator.1.bias (5,)",
        "unexpected: head.weight (2, 2)",
        "misshapen: generator.0.bias is (9,), not (5,)",
    ]
    assert "french: its first layer is not there" in lines
    assert "--partial" in lines[-1]
    assert not (tmp_path / "ours.safetensors").exists()


def test_a_partial_import_takes_what_fits_and_reports_the_rest(tmp_path):
    report = brought_in(tmp_path, unfit(), partial=True)
    assert report.loaded == 5
    assert len(report.differences) == 3
    weight = open_weights(report.output, lambda kind, name: Small)[1].generator[0].weight
    assert torch.equal(weight, unfit()["faltung.weight"])


def test_a_partial_import_needs_to_know_the_converter(tmp_path):
    either = {**CONVERTERS, "swiss": converter("faltung", "other")}
    with pytest.raises(UsageError, match="choose one with --from for a partial import: german, swiss"):
        brought_in(tmp_path, unfit(), either, partial=True)
    assert brought_in(tmp_path, unfit(), either, partial=True, converter="german").loaded == 5


def test_a_partial_import_of_nothing_is_refused(tmp_path):
    anything = {"any": Converter("Anything.", lambda state: ({}, dict(state)))}
    with pytest.raises(WeightsError, match="none of its parameters fits"):
        brought_in(tmp_path, {"a": torch.zeros(1)}, anything, partial=True)


def test_rules_that_stumble_do_not_fit(tmp_path):
    def stumbling(state):
        raise KeyError("conv_first.weight")

    with pytest.raises(WeightsError, match=r"a: KeyError: 'conv_first\.weight'"):
        brought_in(tmp_path, checkpoint(), {"a": Converter("", stumbling)})
    with pytest.raises(WeightsError, match=r"model\.channels: should be a valid integer"):
        brought_in(tmp_path, checkpoint(), {"a": Converter("", lambda state: ({"channels": "wide"}, state))})


def test_wrong_usage_is_said_before_anything_is_read(tmp_path):
    (tmp_path / "ours.safetensors").touch()
    with pytest.raises(UsageError, match="already exists"):
        brought_in(tmp_path, checkpoint())
    assert brought_in(tmp_path, checkpoint(), overwrite=True).loaded == 7
    given = {"task": "small/small", "task_type": Small, "converters": CONVERTERS}
    with pytest.raises(UsageError, match=r"must end in \.safetensors"):
        import_weights(tmp_path / "none.pth", tmp_path / "ours.pth", **given)
    with pytest.raises(UsageError, match="no such file"):
        import_weights(tmp_path / "none.pth", tmp_path / "other.safetensors", **given)
    with pytest.raises(UsageError, match=r"--from dutch: .* has no such converter; available: german, french"):
        import_weights(tmp_path / "none.pth", tmp_path / "other.safetensors", **given, converter="dutch")
    with pytest.raises(UsageError, match="has no converter"):
        import_weights(tmp_path / "none.pth", tmp_path / "other.safetensors", **{**given, "converters": {}})


# --- hostile and damaged files --------------------------------------------------------------------------------


class Hostile:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (self.mark,))


def test_a_tensor_beside_a_wrapped_network_does_not_hide_it(tmp_path):
    torch.save({"epoch": 3, "best_acc1": torch.tensor(1.0), "state_dict": checkpoint()}, tmp_path / "x.pth")
    assert read_checkpoint(tmp_path / "x.pth").tensors.keys() == checkpoint().keys()


@pytest.mark.parametrize("kind", ["zip", "legacy", "bare"])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path, kind):
    path, mark = tmp_path / "hostile.pth", tmp_path / "it ran"
    if kind == "bare":
        path.write_bytes(pickle.dumps({"state_dict": Hostile(str(mark))}))
    else:
        content = {"state_dict": checkpoint(), "extra": Hostile(str(mark))}
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(WeightsError, match=r"refused|no code from it was run"):
        read_checkpoint(path)
    assert not mark.exists()


def test_a_whole_pickled_network_is_refused_with_advice(tmp_path):
    torch.save(nn.Linear(1, 1), tmp_path / "net.pth")
    with pytest.raises(WeightsError, match=r"it contains torch\.nn\.modules\.linear\.Linear(.|\n)*state_dict\(\)"):
        read_checkpoint(tmp_path / "net.pth")


@pytest.mark.parametrize("content", [b"", b"words, no checkpoint", b"PK\x03\x04 cut off", b"\x80\x02", b"{}"])
def test_files_that_are_no_checkpoints_are_refused(tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=r"x\.pth: "):
        read_checkpoint(tmp_path / "x.pth")


@pytest.mark.parametrize("keep", [10, 200, 0.5, 0.99])
def test_a_checkpoint_that_was_cut_off_is_refused(tmp_path, keep):
    torch.save(checkpoint(), tmp_path / "x.pth")
    content = (tmp_path / "x.pth").read_bytes()
    (tmp_path / "x.pth").write_bytes(content[: keep if isinstance(keep, int) else int(keep * len(content))])
    with pytest.raises(WeightsError, match=r"x\.pth: "):
        read_checkpoint(tmp_path / "x.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (torch.zeros(2), "contains a Tensor; expected named parameters"),
        ({"epoch": 3}, "contains no network parameters; its keys: epoch"),
        ({"a": {"x": torch.zeros(1)}, "b": {"y": torch.zeros(1)}}, "its keys: a, b"),
        ({}, "its keys: nothing"),
    ],
)
def test_a_file_without_parameters_says_what_it_holds(tmp_path, content, said):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=said):
        read_checkpoint(tmp_path / "x.pth")


def test_our_own_weights_and_folders_need_no_import(tmp_path):
    path = save_weights(tmp_path / "w.safetensors", task="a/a", model={}, networks={"a": nn.Linear(1, 1)})
    with pytest.raises(WeightsError, match="already"):
        read_checkpoint(path)
    with pytest.raises(UsageError, match="is a folder"):
        read_checkpoint(tmp_path)


# --- parts of a file, and prefixes ----------------------------------------------------------------------------


def test_the_group_that_fits_is_used_and_the_rest_is_mentioned(tmp_path):
    state = {f"generator.{key}": tensor for key, tensor in checkpoint().items()}
    report = brought_in(tmp_path, {"state_dict": {**state, "discriminator.conv.weight": torch.zeros(3)}})
    assert (report.loaded, report.differences) == (7, [])
    assert report.notes == [
        "used: state_dict",
        "removed: the prefix generator. (1 tensor without it left out: discriminator.)",
    ]


def test_the_one_part_that_fits_is_used(tmp_path):
    content = {"G": checkpoint(), "D": {"conv.weight": torch.zeros(3)}}
    assert brought_in(tmp_path, content).notes == ["used: G (the file also contains D)"]


def test_parts_that_fit_equally_well_must_be_chosen_from(tmp_path):
    content = {"one": checkpoint(seed=1), "two": checkpoint(seed=2)}
    with pytest.raises(UsageError, match="several parts of it fit; choose one with --key: one, two"):
        brought_in(tmp_path, content)
    report = brought_in(tmp_path, content, key="two")
    weight = open_weights(report.output, lambda kind, name: Small)[1].generator[0].weight
    assert torch.equal(weight, checkpoint(seed=2)["faltung.weight"])


def test_a_refusal_says_how_many_tensors_there_are_and_names_the_first(tmp_path):
    with pytest.raises(WeightsError) as caught:
        brought_in(tmp_path, {"state_dict": {f"layer{n}.weight": torch.zeros(1) for n in range(7)}})
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("no converter of small/small recognizes this checkpoint:")
    expected = ", ".join(f"layer{n}.weight" for n in range(5))
    assert f"It has 7 tensors: {expected}, …" in lines


# --- converters that find the task themselves -----------------------------------------------------------------


def recognized(folder, content, rules, **asked):
    torch.save(content, folder / "foreign.pth")
    target = Target("small/small", Small, {"small": "small==1"})
    return import_recognized(
        folder / "foreign.pth",
        folder / "ours.safetensors",
        [ConvertibleTask(target, {"german": CONVERTERS["german"]})],
        [Rule(name, None, convert) for name, convert in rules.items()],
        find_target=lambda name: target,
        request=Request(**asked),
    )


def french(state):
    """Knows the French names, and returns the keys of the network itself."""
    model, tensors = CONVERTERS["french"].convert(dict(state.tensors))
    keys = {key.removeprefix("generator."): tensor for key, tensor in tensors.items()}
    return Conversion("small/small", model, keys, of_only_network=True, notes=["bonjour"], plugins={"net": "net==2"})


def test_a_general_converter_is_asked_when_no_task_knows_the_names(tmp_path):
    report = recognized(tmp_path, checkpoint("convolution"), {"francophone": french})
    assert (report.converter, report.loaded, report.task, report.notes) == (
        "francophone",
        7,
        "small/small",
        ["bonjour"],
    )
    assert read_header(report.output).plugins == {"small": "small==1", "net": "net==2"}


def test_the_converters_of_tasks_come_first(tmp_path):
    def greedy(state):
        raise AssertionError("it was asked")

    assert recognized(tmp_path, checkpoint(), {"greedy": greedy}).converter == "german"


def test_a_converter_is_chosen_by_its_name(tmp_path):
    report = recognized(tmp_path, checkpoint("convolution"), {"francophone": french}, converter="francophone")
    assert report.converter == "francophone"
    (tmp_path / "ours.safetensors").unlink()
    with pytest.raises(UsageError, match=r"--from dutch: .*available: german, francophone"):
        recognized(tmp_path, checkpoint("convolution"), {"francophone": french}, converter="dutch")


def test_a_refusal_repeats_what_general_converters_say(tmp_path):
    def missing(state):
        raise WeightsError("needs a package: pip install it")

    with pytest.raises(WeightsError, match=r"(?s)no converter of .*parrot: needs a package: pip install it"):
        recognized(tmp_path, checkpoint("faltung2"), {"parrot": missing})


def test_the_report_has_size_scale_and_hash(tmp_path):
    report = brought_in(tmp_path, checkpoint())
    assert report.parameters == 5 * 27 + 5 + 10
    assert report.scale == 1
    assert read_header(report.output).versions["imported_sha256"] == report.digest == hash_file(report.source)
