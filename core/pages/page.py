"""Join text, styles, scripts and numbers to one HTML file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from restore.core.json_text import dump_json

STATIC = "restore.core.pages"
"""Package whose folder ``static`` has what pages share."""

_ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)

_SHELL = """\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ title }}</title>
{% for style in styles %}
<style>{{ style }}</style>
{% endfor %}
</head>
<body>
{{ body }}
{% if data is not none %}
<script type="application/json" id="data">{{ data }}</script>
{% endif %}
{% for script in scripts %}
<script type="module">{{ script }}</script>
{% endfor %}
</body>
</html>
"""


def fill_template(text: str, **values: Any) -> Markup:
    """Return a Jinja2 template with its values; text in them is escaped, ``Markup`` is not.

    Raises jinja2.UndefinedError if the template names a value that is missing.
    """
    return Markup(_ENVIRONMENT.from_string(text).render(**values))


def read_static(name: str, package: str = STATIC) -> str:
    """Return the text of ``static/NAME`` in a package: a style (.css), a script (.js) or a template (.html)."""
    return (files(package) / "static" / name).read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One HTML file. Equal parts give equal bytes.

    Its content security policy forbids every request but those to ``connect``; only the page's own styles and scripts
    work, and a ``style=`` or ``onclick=`` attribute does not.
    """

    title: str
    body: Markup
    styles: Sequence[str] = field(default_factory=lambda: (read_static("page.css"),))
    """CSS texts."""
    scripts: Sequence[str] = ()
    """Texts of JavaScript modules; none may import another."""
    data: Mapping[str, Any] | None = None
    """Numbers behind the page, as JSON in ``<script id="data">``; infinity and NaN become null."""
    language: str = "en"
    connect: str | None = None
    """The one address that scripts may send to or fetch from, without spaces and semicolons; ``'self'``: the server of
    the page; unset: none."""

    @property
    def policy(self) -> str:
        """The content security policy: what the page may load."""
        styles, scripts = (" ".join(map(_hash, texts)) or "'none'" for texts in (self.styles, self.scripts))
        return (
            f"default-src 'none'; img-src data: blob:; style-src {styles}; script-src {scripts}; "
            f"{f'connect-src {self.connect}; ' if self.connect else ''}base-uri 'none'; form-action 'none'"
        )

    def html(self) -> str:
        """Return the file's text.

        Raises ValueError if a style or a script holds the end tag of its own element.
        """
        for texts, tag in ((self.styles, "</style"), (self.scripts, "</script")):
            if any(tag in text.lower() for text in texts):
                raise ValueError(f"a page cannot hold {tag}> inside that element")
        return str(
            fill_template(
                _SHELL,
                title=self.title,
                language=self.language,
                policy=self.policy,
                body=self.body,
                styles=[Markup(style) for style in self.styles],
                scripts=[Markup(script) for script in self.scripts],
                data=None if self.data is None else _escape_script(dump_json(self.data, indent=None)),
            )
        )


def read_data(html: bytes) -> Any:
    """Return the numbers behind a page, see `Page.data`. Raises ValueError if a file has none."""
    found = re.search(rb'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    if found is None:
        raise ValueError("no data of a page are in it")
    return json.loads(found[1])


def _escape_script(text: str) -> Markup:
    """Return JSON that no browser takes for markup: ``<`` is written as an escape of JSON."""
    return Markup(text.replace("<", "\\u003c"))


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
