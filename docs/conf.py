"""How Sphinx builds these pages: ``sphinx-build -W -n --keep-going docs build/docs``."""

from __future__ import annotations

import re
from importlib.metadata import version as version_of
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.util.nodes import make_refnode

project = "restore"
author = "The restorekit authors"
version = release = version_of("restorekit")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"restore {version}"
html_copy_source = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["restore.css"]

default_role = "py:obj"  # docstrings name things between single backticks

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"exclude-members": "model_config, model_post_init"}
python_display_short_literal_types = True
python_maximum_signature_line_length = 100

# Names that are documented elsewhere: those of Python, torch and pydantic, and what restore does not make public.
nitpick_ignore_regex = [
    ("py:.*", r"(?!restore\.).*"),
    ("py:.*", r"restore\.(core|registry|plugins|cli)\.[a-z_]+(\.\w+)*"),
]

PUBLIC = ("restore.core", "restore.registry", "restore.core.testing")


def setup(app: Sphinx) -> None:
    """Connect what is defined here."""
    app.connect("source-read", uncover)
    app.connect("missing-reference", find_public_name)
    app.connect("autodoc-process-docstring", remember_attribute, priority=400)
    app.connect("autodoc-process-docstring", restore_attribute, priority=600)


def uncover(_: Sphinx, name: str, source: list[str]) -> None:
    """Adapt what GitHub reads as it is.

    What only Sphinx reads stands in comments, ``<!-- sphinx`` … ``-->``. Links to Markdown files that are no pages of
    the site, such as the README, become downloads.
    """
    text = re.sub(r"^<!-- sphinx\n(.*?)\n-->$", r"\1", source[0], flags=re.MULTILINE | re.DOTALL)
    beyond = "../" * (name.count("/") + 1)
    link = rf"\[`?([^]`]+)`?\]\(({re.escape(beyond)}[\w./-]+\.md)(?:#[\w-]+)?\)"
    source[0] = re.sub(link, r"{download}`\1 <\2>`", text)


remembered: dict[str, list[str]] = {}
"""Docstrings of attributes, by name."""


def remember_attribute(_: Sphinx, what: str, name: str, __: Any, ___: Any, lines: list[str]) -> None:
    """Keep the docstring of an attribute: napoleon takes what stands before its first colon for a type."""
    if what in ("attribute", "data", "property"):
        remembered[name] = list(lines)


def restore_attribute(_: Sphinx, what: str, name: str, __: Any, ___: Any, lines: list[str]) -> None:
    """Undo what napoleon did."""
    if what in ("attribute", "data", "property"):
        lines[:] = remembered.pop(name)


def find_public_name(app: Sphinx, env: Any, node: Any, content: nodes.Node) -> nodes.Node | None:
    """Return a link to the public name of what an annotation or a docstring calls by another one."""
    name = str(node.get("reftarget", "")).rpartition(".")[2]
    domain = env.get_domain("py")
    assert isinstance(domain, PythonDomain)
    for module in PUBLIC:
        full = f"{module}.{name}"
        if node.get("refdomain") == "py" and full in domain.objects:
            entry = domain.objects[full]
            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, [content], full)
    return None
