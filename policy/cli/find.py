"""`basegate find`: images by what is known of them, in a data folder or on a server."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from policy.search.conditions import FACTS, OPERATORS, Condition, read_conditions, split
from registry.cli.output import json_option, print_json, size
from registry.cli.place import Place, Word, placed
from registry.cli.table import print_table

_PAGE = 500
_DAY = len("2026-11-30")
_HEADINGS = ("IMAGE", "VERDICT", "SYSTEM", "CONDA", "PYTHON", "SIZE", "PUSHED", "PULLED")


def _read(text: str) -> tuple[Condition, ...]:
    return read_conditions(split(text))


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
@placed(Word("conditions", "CONDITIONS", _read))
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="Images at most; 0: all.")
@click.option("--after", default="", help="Go on where an earlier answer has ended.")
@json_option
def find_command(place: Place, conditions: tuple[Condition, ...], limit: int, after: str, *, as_json: bool) -> None:
    """Find images that meet all CONDITIONS, such as 'os.version<16.04 verdict=refused tag.age>90d'.

    A condition is a fact, a sign (= != < <= > >= or ~ for a pattern) and a value. Put them in quotation marks: shells
    have a meaning of their own for < and >.
    """
    document = _found(place, conditions, limit, after)
    if as_json:
        print_json(document)
        return
    if document["images"]:
        print_table(_HEADINGS, [_row(each) for each in document["images"]])
    if document["next"]:
        click.echo(f"there may be more: --after {document['next']}", err=True)


def _found(place: Place, conditions: Sequence[Condition], limit: int, after: str) -> dict[str, Any]:
    """So many images, over as many pages as that takes."""
    # With the search, not with the help.
    from policy.administration.image_search import search_images  # noqa: PLC0415

    images: list[dict[str, Any]] = []
    while True:
        count = min(_PAGE, limit - len(images)) if limit else _PAGE
        page = place.do(search_images(conditions, count, after))
        images += page["images"]
        after = page["next"]
        if not after or (limit and len(images) >= limit):
            return {"images": images, "next": after}


def _row(image: dict[str, Any]) -> tuple[str, ...]:
    facts, tags = image["facts"], image["tags"]
    name = f"{image['repository']}:{tags[0]['tag']}" if tags else f"{image['repository']}@{image['digest']}"
    system = " ".join(values[0] for fact in ("os.name", "os.version") if (values := facts.get(fact)))
    state = f"{image['verdict']}{', exempt' if image['exempt'] else ''}"
    return (name, state, system, *_versions(facts), size(image["size"]), *_times(image))


def _versions(facts: dict[str, list[str]]) -> tuple[str, str]:
    return " ".join(facts.get("conda", ())), " ".join(facts.get("python", ()))


def _times(image: dict[str, Any]) -> Iterator[str]:
    for name in ("pushed", "pulled"):
        yield image[name][:_DAY] if image[name] else "never"
