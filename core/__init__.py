"""The protocols and the engine: what a family is, and what trains, keeps and uses it.

The names are listed in ``__init__.pyi`` and imported on first use, so that ``import restore.core`` costs nothing.
"""

from lazy_loader import attach_stub  # type: ignore[import-untyped]

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
