"""The templates: escaped whatever they show, and given the roles of tables."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from policy.web.addresses import address, json_address, with_ending
from policy.web.bytecode import CompiledTemplates
from policy.web.figures import anchor, capital, hours, moment, moment_exact, number, share, size
from policy.web.visible import visible

_TEMPLATES = Path(__file__).parent / "templates"
_ROLES = (
    (re.compile(r"<table class"), '<table role="table" class'),
    (re.compile(r"<(thead|tbody|tfoot)>"), r'<\1 role="rowgroup">'),
    (re.compile(r"<tr(?=[ >{])"), '<tr role="row"'),
    (re.compile(r'<th scope="col"'), '<th role="columnheader" scope="col"'),
    (re.compile(r'<th scope="row"'), '<th role="rowheader" scope="row"'),
    (re.compile(r"<td(?=[ >{])"), '<td role="cell"'),
)


class TableRoles(Extension):
    """Gives tables their roles: where a narrow page lays rows out as cards, browsers forget what they are."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """The source of a template with roles in it."""
        for pattern, marked in _ROLES:
            source = pattern.sub(marked, source)
        return source


def environment() -> Environment:
    """A new environment with all filters."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        # What is made of the templates depends on this file too.
        bytecode_cache=CompiledTemplates(_TEMPLATES, Path(__file__).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        extensions=[TableRoles],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        size=size, moment=moment, moment_exact=moment_exact, number=number, anchor=anchor, hours=hours, capital=capital
    )
    made.globals.update(
        address=address,
        json_address=json_address,
        with_ending=with_ending,
        share=share,
        program_version=version("basegate"),
    )
    return made


def compile_all() -> None:
    """Compile all templates, so that the first page does not have to."""
    made = environment()
    for name in made.list_templates(["html"]):
        made.get_template(name)


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
