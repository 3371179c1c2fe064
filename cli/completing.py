"""Whether a shell is completing a command line: nothing slow is done then, and nothing is printed."""

from __future__ import annotations

from contextvars import ContextVar

completing: ContextVar[bool] = ContextVar("completing", default=False)
"""True while a shell completes a command line."""
