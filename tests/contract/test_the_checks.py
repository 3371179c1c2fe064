"""The checks of the contract notice what they are for: each of these tasks breaks one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from toy_tasks import Fixed, OneNetwork, ToySettings, TwoPhases

from restore.core.controls import ControlPoints, Slider
from restore.core.dataset import Batch
from restore.core.errors import UsageError
from restore.core.metrics import EvaluationProtocol
from restore.core.networks import Networks
from restore.core.settings import Settings
from restore.core.specs import ClassMap, ClassMaps, ImageSpec, Tiling
from restore.core.task import Task
from restore.core.testing import (
    CHECKS,
    LONGER_CHECKS,
    ContractBroken,
    NotApplicable,
    TaskUnderTest,
    check_imports,
    check_task,
)
from restore.core.training_step import Phase, TrainStep

CHECK_BY_NAME = {check.__name__: check for check in (*CHECKS, *LONGER_CHECKS)}


class Toy(OneNetwork):
    """Keeps the contract."""

    @property
    def inputs(self) -> Mapping[str, ImageSpec]:
        return {"input": ImageSpec(1)}

    @property
    def outputs(self) -> Mapping[str, ImageSpec]:
        return {"output": ImageSpec(1)}

    @property
    def tiling(self) -> Tiling:
        return Tiling("exact", halo=2)

    def phases(self) -> list[Phase]:
        return [Phase("only", self.settings.epochs, {"net": self.settings.optimizer}, monitor="mse")]

    def evaluation_data(self, folder: Path | None) -> Any:
        return self.dataset("validation", self.phases()[-1])


class Documented(ToySettings):
    """Settings as they should be."""

    first_epochs: int = 1
    """Epochs of the first phase."""


class Idle(Toy):
    """Has a layer that nothing uses."""

    def networks(self) -> dict[str, nn.Module]:
        net = nn.Conv2d(1, 1, 3, padding=1)
        net.idle = nn.Conv2d(1, 1, 1)
        return {"net": net}


class Meddling(TwoPhases):
    """Moves a network that another optimizer trains."""

    inputs, outputs = Toy.inputs, Toy.outputs

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        def closure(networks: Networks) -> dict[str, Tensor]:
            with torch.no_grad():
                next(networks.discriminator.parameters()).add_(0.1)
            return {"mse": F.mse_loss(networks.net(batch["input"]), batch["target"])}

        step.optimize("net", closure)


class Lazy(TwoPhases):
    """Never trains its discriminator."""

    inputs, outputs = Toy.inputs, Toy.outputs

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        step.optimize("net", lambda m: {"mse": F.mse_loss(m.net(batch["input"]), batch["target"])})


class Twice(Toy):
    """Calls its network twice before it goes back."""

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        halves = batch["input"].chunk(2), batch["target"].chunk(2)
        step.optimize(
            "net", lambda m: {f"mse{i}": F.mse_loss(m.net(x), y) for i, (x, y) in enumerate(zip(*halves, strict=True))}
        )


class Counting(Toy):
    """Counts its steps itself, so that a resumed run begins to count anew."""

    count = 0

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        self.count += 1
        step.optimize("net", lambda m: {"mse": self.count * F.mse_loss(m.net(batch["input"]), batch["target"])})


class Forgetful(Toy):
    """Keeps a part of its network out of the weights file."""

    def networks(self) -> dict[str, nn.Module]:
        net = super().networks()["net"]
        net.register_buffer("gain", torch.rand(1) + 0.5, persistent=False)
        return {"net": net}

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": networks.net.gain * networks.net(batch["input"])}


class Sociable(Toy):
    """Normalizes by its batch in use too."""

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": networks.net(batch["input"] - batch["input"].mean())}


class Comparing(Toy):
    """Renders with the brightest pixel of the image, and says that it looks at single ones."""

    pixel_reach = 0

    def render(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"": (outputs["output"] / outputs["output"].abs().max()).clamp(0, 1)}


class Farsighted(Toy):
    """Sees further than the halo that it declares."""

    @property
    def tiling(self) -> Tiling:
        return Tiling("exact", halo=1)


class Picky(Toy):
    """Works on even sizes alone."""

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        return {"output": F.interpolate(F.avg_pool2d(networks.net(batch["input"]), 2), scale_factor=2)}


class Pooling(Toy):
    """Measures a batch as one."""

    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        return {name: rows.sum(0, keepdim=True) for name, rows in super().measure(batch, networks, protocol).items()}


class Relative(Toy):
    """Measures a sample by what is beside it."""

    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        return {name: rows / rows.sum(0) for name, rows in super().measure(batch, networks, protocol).items()}


class AtRandom(Toy):
    """Measures with noise, which differs from sample to sample."""

    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        found = super().measure(batch, networks, protocol)
        return {name: rows * (1 + torch.rand_like(rows).flip(0)) for name, rows in found.items()}


class Failing(Toy):
    """Breaks in its first step."""

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        raise KeyError("a typo")


class NotANumber(Toy):
    """Has an error that is no number."""

    def phases(self) -> list[Phase]:
        return [Phase("only", self.settings.epochs, {"net": self.settings.optimizer})]

    def measure(self, batch: Batch, networks: Networks, protocol: EvaluationProtocol) -> dict[str, Tensor]:
        return {name: rows / 0 for name, rows in super().measure(batch, networks, protocol).items()}


class Glaring(Toy):
    """Shows values that no image has."""

    def sample_row(self, batch: Batch, networks: Networks) -> list[Tensor]:
        return [255 * batch["input"][0]]


class Plain(Toy):
    """Trains with even batches only."""

    def train_step(self, batch: Batch, step: TrainStep) -> None:
        if len(batch["input"]) % 2:
            raise ValueError("an odd batch")
        super().train_step(batch, step)


class Unreachable(Settings):
    """Options whose slider leaves their range."""

    strength: Annotated[float, Field(ge=0, le=1), Slider(0, 2)] = 0.5
    """How much."""


class Lonely(Settings):
    """Options whose slider waits for one that does not exist."""

    strength: Annotated[float, Field(ge=0, le=1), Slider(0, 1, needs="second")] = 0.5
    """How much."""


class Pointless(Settings):
    """Options whose points are one number."""

    warp: Annotated[float, ControlPoints()] = 0.5
    """How much."""


class Offset(Settings):
    """Options with a value that the task can choose."""

    offset: float | None = None
    """What is added; unset: the mean."""


def with_options(task: type[Task], options: type[Settings]) -> type[Task]:
    """The same task with options of ``restore predict``."""
    return type(f"{task.__name__}{options.__name__}", (task,), {"predict_options_type": options})


class Nameless(Toy):
    """Declares a map that it does not write."""

    class_maps = ClassMaps((ClassMap("cell", (1.0, 0.0, 0.0), "probability"),))


class Choosing(with_options(Toy, Offset)):
    """Chooses an offset, and uses twice as much where it is given."""

    def choose_options(self, inputs: Batch, networks: Networks) -> Mapping[str, Any]:
        return {"offset": float(inputs["input"].mean())}

    def predict(self, batch: Batch, networks: Networks) -> Batch:
        given = self.predict_options.offset
        added = batch["input"].mean() if given is None else 2 * given
        return {"output": networks.net(batch["input"]) + added}


class Undocumented(Settings):
    level: int
    """How much."""


class Entry:
    """What a registry would know about a task."""

    def __init__(self, task: type[Task], settings: Any = ToySettings, **details: Any) -> None:
        self.task, self.located = task, {"settings": settings, **details}
        self.full_name = f"toy/{task.__name__.lower()}"
        self.references = {key: f"toy:{key}" for key in self.located}
        self.spec = SimpleNamespace(trains=task is not Fixed)

    def load(self) -> Any:
        return self.task

    def locate(self, detail: str) -> Any:
        return self.located[detail]


def documented(task: type[Task]) -> type[Task]:
    """The same task with settings that have help for everything."""
    return type(task.__name__, (task,), {"settings_type": Documented})


@pytest.mark.parametrize(
    ("task", "check", "complaint"),
    [
        (Idle, "every_parameter_takes_part_in_its_loss", "net.idle.weight, net.idle.bias"),
        (Meddling, "an_optimizer_moves_its_own_networks_and_no_other", "changed discriminator"),
        (Lazy, "an_optimizer_moves_its_own_networks_and_no_other", "optimizer discriminator: never stepped"),
        (Twice, "a_loss_calls_each_trained_network_once", "optimizer net: calls net 2 times; concatenate the inputs"),
        (Counting, "a_run_that_was_killed_equals_one_that_was_not", "differs between whole and killed"),
        (Forgetful, "weights_files_hold_everything", "changes when the networks are saved and opened"),
        (Sociable, "a_batch_predicts_what_its_images_do", "depends on its batch"),
        (Comparing, "strips_are_rendered_as_the_whole", "depends on more than pixel_reach = 0"),
        (Farsighted, "exact_tiles_equal_the_whole", "differ|depends on pixels 2 away"),
        (Picky, "images_of_any_size_work", "37 x 53 pixels is refused"),
        (Pooling, "every_sample_is_a_row_of_its_own", "two samples gave rows"),
        (
            Relative,
            "every_sample_is_a_row_of_its_own",
            "mse: statistics of a sample depend on another sample of the batch",
        ),
        (with_options(Toy, Unreachable), "marks_of_options_fit", "strength: the slider reaches 2"),
        (with_options(Toy, Lonely), "marks_of_options_fit", "strength: its mark names 'second', which is no option"),
        (with_options(Toy, Pointless), "marks_of_options_fit", "warp: ControlPoints marks an option of the type"),
        (Nameless, "class_maps_are_parts_of_the_result", r"render\(\) returns no part 'probability'"),
        (Choosing, "chosen_options_change_nothing", "'output' changes by .* when the chosen options are given"),
        (NotANumber, "numbers_are_finite_and_say_how_they_were_measured", "mse is nan"),
        (Glaring, "samples_can_be_shown", "outside"),
        (Toy, "a_folder_that_does_not_exist_is_refused", r"dataset\('train'\) ignores settings.data"),
        (Plain, "other_settings_train_too", "with batch_size=3: ValueError: an odd batch"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_task_that_breaks_a_rule_is_told_which(task: type[Task], check: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match=complaint):
        CHECK_BY_NAME[check](TaskUnderTest(Entry(task), tmp_path))


def test_a_run_that_breaks_is_reported_once_under_the_name_of_every_check_that_looks_at_it(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as broken:
        check_task(Entry(documented(Failing), Documented), tmp_path)
    (error,) = (error for error in broken.value.exceptions if isinstance(error, KeyError))
    assert {"check: weights_files_hold_everything", "check: samples_can_be_shown"} < set(error.__notes__)
    assert "already exists" not in "".join(map(str, broken.value.exceptions))


@pytest.mark.parametrize("task", [Toy, Fixed], ids=lambda task: task.__name__)
def test_a_task_that_keeps_every_rule_passes(task: type[Task], tmp_path: Path) -> None:
    class Kept(documented(task)):
        inputs, outputs, tiling = Toy.inputs, Toy.outputs, Toy.tiling

        def dataset(self, split: str, phase: Phase) -> Any:
            refuse_missing(self.settings.data)
            return super().dataset(split, phase)

        def evaluation_data(self, folder: Path | None) -> Any:
            refuse_missing(folder)
            return super().evaluation_data(None)

    entry = Entry(Kept, Documented)
    entry.spec.trains = task is not Fixed
    check_task(entry, tmp_path)


def refuse_missing(folder: Path | None) -> None:
    if folder is not None and not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")


def test_the_folder_that_is_given_is_trained_on(tmp_path: Path) -> None:
    seen = set()

    class Curious(Toy):
        def dataset(self, split: str, phase: Phase) -> Any:
            seen.add(self.settings.data)
            return super().dataset(split, phase)

    (tmp_path / "data").mkdir()
    tested = TaskUnderTest(Entry(Curious), tmp_path, data=tmp_path / "data")
    CHECK_BY_NAME["a_folder_of_data_is_trained_and_measured_on"](tested)
    assert seen == {None, tmp_path / "data"}  # the run that all checks share, and the one on the folder


def test_a_task_of_another_layout_is_not_checked_on_plain_images(tmp_path: Path) -> None:
    class Choosy(Toy):
        def dataset(self, split: str, phase: Phase) -> Any:
            if self.settings.data is not None:
                raise UsageError("expected images/ and masks/")
            return super().dataset(split, phase)

    check, tested = CHECK_BY_NAME["a_folder_of_data_is_trained_and_measured_on"], TaskUnderTest(Entry(Choosy), tmp_path)
    with pytest.raises(NotApplicable, match="expected images/ and masks/"):
        check(tested)
    tested.data = tmp_path / "data"
    with pytest.raises(UsageError):  # a folder that somebody names has the layout that the task reads
        check(tested)


SOLO = """
import toy_tasks
from torch.nn import functional as F

class Solo(toy_tasks.OneNetwork):
    def train_step(self, batch, step):
        def loss(nets):
            raw = getattr(nets.net, "module", nets.net)
            return {"mse": F.mse_loss(raw(batch["input"]), batch["target"])}
        step.optimize("net", loss)
"""


def test_processes_that_drift_apart_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "solo_task.py").write_text(SOLO)
    monkeypatch.syspath_prepend(tmp_path)
    check = CHECK_BY_NAME["two_processes_train_together"]
    with pytest.raises(ContractBroken, match="the networks of two processes differ by up to"):
        check(TaskUnderTest(Entry(import_module("solo_task").Solo), tmp_path))
    with pytest.raises(NotApplicable, match="another process cannot import"):
        check(TaskUnderTest(Entry(documented(Toy)), tmp_path / "other"))


def test_statistics_may_be_estimated_at_random(tmp_path: Path) -> None:
    CHECK_BY_NAME["every_sample_is_a_row_of_its_own"](TaskUnderTest(Entry(AtRandom), tmp_path))


def test_everything_that_is_wrong_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as broken:
        check_task(Entry(Glaring, predict=Undocumented), tmp_path)
    told = {note for error in broken.value.exceptions for note in error.__notes__}
    assert {"check: every_setting_has_help_and_a_default", "check: samples_can_be_shown"} <= told


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (lambda: Entry(Toy, predict=Toy), "predict= is .*Toy.* but the type parameter of the class is"),
        (
            lambda: Entry(Toy, Documented),
            "settings= is .*Documented.* but the type parameter of the class is .*ToySettings",
        ),
        (lambda: Entry(Toy, imports={"elsewhere": object()}), "converter 'elsewhere' has no convert"),
    ],
)
def test_a_registration_that_does_not_fit_is_told_so(
    entry: Callable[[], Entry], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractBroken, match=complaint):
        CHECK_BY_NAME["the_registered_objects_exist_and_fit"](TaskUnderTest(entry(), tmp_path))


def test_a_heavy_import_is_named() -> None:
    check_imports("restore.core.settings", "restore.registry")
    with pytest.raises(ContractBroken, match="also imports torch"):
        check_imports("restore.core.task")
    with pytest.raises(ContractBroken, match="No module named 'restore_nothing'"):
        check_imports("restore_nothing")
