"""The contract of listeners: one is built as for a run, and is told everything that may happen in one."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from pydantic_core import PydanticUndefined

from restore.core import events
from restore.core.metrics import MetricResult
from restore.core.settings import Positional, Settings, leaves
from restore.core.testing.under_test import RegisteredEntry, require


def check_listener(entry: RegisteredEntry, folder: Path, settings: Settings | None = None) -> None:
    """Build a listener and send it the events of three runs: one that finishes, one that fails, an interrupted one.

    Args:
        entry: result of ``registry.entry("listeners", name)``.
        folder: an empty folder, in which the runs have theirs.
        settings: settings to build it with; None: the defaults of its settings class.

    Raises:
        ContractBroken: its settings are no settings, or it cannot be called.
        Exception: whatever it raises.
    """
    arguments = []
    if "settings" in entry.references:
        model = entry.locate("settings")
        fits = isinstance(model, type) and issubclass(model, Settings)
        require(fits, f"{entry.full_name}: settings= is {model!r}, which is no subclass of Settings")
        require_help_and_defaults(model, f"{entry.full_name}: settings")
        arguments = [model() if settings is None else settings]
    factory = entry.load()
    for number, end in enumerate((events.RunFinished, events.RunFailed, events.RunInterrupted)):
        listener = factory(*arguments)
        require(callable(listener), f"{entry.full_name}: the factory returned {listener!r}, which cannot be called")
        for event in sample_events(folder / f"run-{number}", end):
            listener(event)


def require_help_and_defaults(model: type[Settings], where: str) -> None:
    """Raise ContractBroken if a setting has no help text, or no default unless it is typed without a flag.

    ``where`` begins the message.
    """
    for path, info in leaves(model):
        flag = f"{where}: {'.'.join(path)}"
        require(info.description, f"{flag} has no help: write a docstring under it")
        positional = any(isinstance(mark, Positional) for mark in info.metadata)
        missing = info.default is PydanticUndefined and info.default_factory is None and not positional
        require(not missing, f"{flag} has no default")


def sample_events(folder: Path, end: type[events.Event] = events.RunFinished) -> list[events.Event]:
    """Return the events of a run of two steps, and make its folder with the files that they name.

    Args:
        folder: the run folder; must not exist.
        end: class of the last event: RunFinished, RunFailed or RunInterrupted.
    """
    sheet, checkpoint = folder / "samples" / "epoch-0001.png", folder / "checkpoints" / "step-2"
    sheet.parent.mkdir(parents=True)
    checkpoint.mkdir(parents=True)
    Image.new("RGB", (8, 4)).save(sheet)
    baseline, measured = (MetricResult("psnr", "RGB", of, value) for of, value in (("bicubic", 20.5), ("only", 21.0)))
    last = {
        events.RunFinished: events.RunFinished(folder, folder / "best.safetensors", [baseline, measured], 1.5),
        events.RunFailed: events.RunFailed(folder, 2, 1.5, "DataError: photo.png: is damaged"),
        events.RunInterrupted: events.RunInterrupted(folder, 2, 1.5, saved=True),
    }[end]
    return [
        events.Warned("No GPU was found."),
        events.RunStarted(
            task="toy/toy",
            folder=folder,
            phases=[("only", 1)],
            steps_per_epoch=2,
            samples_per_epoch=8,
            train_images=6,
            validation_images=2,
            parameters={"net": 100},
            device="cpu",
            precision="fp32",
            processes=1,
            resumed_at=None,
        ),
        events.PhaseStarted("only", 0, 1),
        events.Evaluated("bicubic", 0, 0, [baseline], best=False),
        *(events.StepDone("only", 0, 1, step, 2, step, 2, 4, 0.1, 0.01) for step in (1, 2)),
        events.Logged("only", 0, 2, {"l1": 0.25, "net/lr": 1e-3, "net/gradient": float("inf")}, {"run": 0.2}),
        events.Evaluated("only", 0, 2, [measured], best=True),
        events.SamplesWritten(sheet, 2),
        events.PhaseFinished("only", stopped_early=False),
        events.CheckpointSaved(checkpoint, 2),
        last,
    ]
