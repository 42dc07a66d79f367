"""`basegate find`: images of a data folder by what is known of them."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from policy.cli.folder_services import folder_services
from policy.client.text import visible
from policy.search.conditions import FACTS, OPERATORS, read_conditions, split
from policy.search.images import ImageSearch
from policy.search.question import Question
from policy.settings import search_section
from registry.auth.principals import everybody
from registry.cli.data_folder import (
    data_option,
    json_option,
    log_to_stderr,
    moment,
    print_json,
    require_registry,
    settings_of,
    size,
)

_PAGE = 500
_HEADINGS = ("IMAGE", "VERDICT", "SYSTEM", "CONDA", "PYTHON", "SIZE", "PUSHED", "PULLED")


class FindCommand(click.Command):
    """Its help ends with the facts that are known."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The facts, with what each is and how it is compared."""
        with formatter.section("Facts"):
            formatter.write_dl(
                [(name, f"{known.meaning} ({' '.join(OPERATORS[known.form])})") for name, known in FACTS.items()]
            )
        super().format_epilog(ctx, formatter)


@click.command("find", cls=FindCommand)
@click.argument("conditions", nargs=-1)
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="Images at most; 0: all.")
@click.option("--after", default="", help="Go on where an earlier answer has ended.")
@json_option
@data_option
def find_command(conditions: tuple[str, ...], limit: int, after: str, data: Path, *, as_json: bool) -> None:
    """Find images that meet all CONDITIONS, such as 'os.version<16.04 verdict=refused tag.age>90d'.

    A condition is a fact, a sign (= != < <= > >= or ~ for a pattern) and a value. Put them in quotation marks: shells
    have a meaning of their own for < and >.
    """
    require_registry(data)
    log_to_stderr()
    document = _found(data, conditions, limit, after)
    if as_json:
        print_json(document)
    else:
        for line in _lines(document["images"]):
            click.echo(line)
        if document["next"]:
            click.echo(f"there may be more: --after {document['next']}", err=True)


def _found(data: Path, texts: tuple[str, ...], limit: int, after: str) -> dict[str, Any]:
    settings = settings_of(click.get_current_context())
    asked = read_conditions([each for text in texts for each in split(text)])
    with folder_services(data, settings) as services:
        search = ImageSearch(services.gate, services.metadata, lambda: search_section(settings).looked_at)
        return asyncio.run(_pages(search, asked, limit, after))


async def _pages(search: ImageSearch, asked: tuple[Any, ...], limit: int, after: str) -> dict[str, Any]:
    """So many images, over as many pages as that takes."""
    images: list[dict[str, Any]] = []
    caller, now = everybody(), time.time()
    while True:
        count = min(_PAGE, limit - len(images)) if limit else _PAGE
        page = await search.page(Question(asked, caller, caller.reaches, count, after, now))
        images += [each.document() for each in page.images]
        after = page.next
        if not after or (limit and len(images) >= limit):
            return {"images": images, "next": after}


def _lines(images: list[dict[str, Any]]) -> Iterator[str]:
    """Aligned columns; nothing where nothing was found."""
    rows = [_HEADINGS, *(_row(each) for each in images)] if images else []
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADINGS))] if rows else []
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _row(image: dict[str, Any]) -> tuple[str, ...]:
    facts, tags = image["facts"], image["tags"]
    name = f"{image['repository']}:{tags[0]['tag']}" if tags else f"{image['repository']}@{image['digest']}"
    found = (" ".join(facts.get(name, ("",))[0] for name in ("os.name", "os.version")), *_versions(facts))
    pulled = moment(image["pulled"]) if image["pulled"] else "never"
    state = f"{image['verdict']}{', exempt' if image['exempt'] else ''}"
    texts = (name, state, *found, size(image["size"]), moment(image["pushed"]), pulled)
    return tuple(visible(text) for text in texts)


def _versions(facts: dict[str, list[str]]) -> tuple[str, str]:
    return " ".join(facts.get("conda", ())), " ".join(facts.get("python", ()))
