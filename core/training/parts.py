"""What a run is made of, as its stages share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from accelerate import Accelerator

from restore.core.events import Event
from restore.core.records.folder import RunFolder
from restore.core.records.tracking import Tracker
from restore.core.settings import RunSettings
from restore.core.steps import Phase
from restore.core.task import Pictures, Task
from restore.core.training.averaging import Averages
from restore.core.training.turns import Networks


@dataclass(frozen=True)
class Parts:
    """What a run is made of; what moves is in its progress."""

    task: Task
    name: str
    """Full name of the task."""
    settings: RunSettings
    phases: Sequence[Phase]
    folder: RunFolder
    accelerator: Accelerator
    networks: Networks
    averages: Averages | None
    tracker: Tracker | None
    """None on every process but the main one."""
    emit: Callable[[Event], None]
    checked: dict[str, Pictures] = field(default_factory=dict)
    """Pictures of the first phase by split, which were made before the run to be checked."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What tells them from others, see ``planning.identity``."""

    def pictures(self, split: Literal["train", "validation"], phase: Phase) -> Pictures:
        """The pictures of one split for one phase; call it once for each."""
        checked = self.checked.pop(split, None)
        return checked if checked is not None and phase == self.phases[0] else self.task.data(split, phase)

    @property
    def has_critics(self) -> bool:
        """Whether training needs networks that prediction does not."""
        return len(self.task.exported) < len(self.networks.raw)
