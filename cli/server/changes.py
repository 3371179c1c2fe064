"""A counter of changes that threads wait for: one for everything that a page follows."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Changes:
    """Counts changes. ``lock`` guards what they change."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._happened = threading.Condition(self.lock)
        self._version = 0
        self._closed = False

    @property
    def version(self) -> int:
        """How many changes there were."""
        with self.lock:
            return self._version

    @property
    def closed(self) -> bool:
        """Whether nothing will change any more."""
        with self.lock:
            return self._closed

    def note(self) -> int:
        """Count one, wake who waits, and return its number."""
        with self.lock:
            self._version += 1
            self._happened.notify_all()
            return self._version

    def wait(self, seen: int, timeout: float) -> None:
        """Return after a change beyond ``seen``, at the end, or when the time is over."""
        self.wait_for(lambda: self._version > seen, timeout)

    def wait_for(self, condition: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until a condition holds after a change; return whether it does. The end ends the wait too."""
        with self.lock:
            return self._happened.wait_for(lambda: self._closed or condition(), timeout) and condition()

    def close(self) -> None:
        """Say that nothing will change any more."""
        with self.lock:
            self._closed = True
            self._happened.notify_all()
