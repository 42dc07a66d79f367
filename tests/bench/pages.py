"""Pages of a server that holds much: each kind, anywhere in what is stored."""

import random
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from tests.bench.flows import held, put
from tests.bench.images import small_image
from tests.bench.queries import Question
from tests.bench.servers import Running
from tests.bench.stock import LARGE, Stock, digest_for, image_digest, tag_name
from tests.bench.wire import Connection, Target

WEB_MS, WEB_BYTES = 100.0, 60_000
"""Goals: milliseconds within which 99 of 100 are answered, and bytes of the largest."""
_REPOSITORY = "bench/page"


def page_questions(chance: random.Random, stock: Stock) -> list[Question]:
    """Pages of what is stored."""

    def number() -> int:
        return chance.randrange(1, stock.repositories)

    def tag() -> str:
        return tag_name(chance.randrange(stock.large_tags))

    def condition() -> str:
        return f"os.version>=16.04 conda=4.8.{chance.randrange(10)} verdict=cleared"

    asked: dict[str, Callable[[], str]] = {
        "catalog anywhere": lambda: f"/?after={stock.name(number())}",
        "search for a part of a name": lambda: f"/?q={stock.name(number())[-5:]}",
        "search for a name that nothing has": lambda: f"/?q=none-{number()}",
        "search for a digest": lambda: f"/?q={chance.getrandbits(28):07x}",
        "search by facts": lambda: f"/search?where={quote(condition(), safe='')}",
        "search for facts that nothing has": lambda: "/search?where=os.version%3C16.04%20verdict%3Dcleared",
        "any repository": lambda: f"/r/{stock.name(number())}",
        "50 of 20,000 tags anywhere": lambda: f"/r/{LARGE}?after={tag()}",
        "its untagged content": lambda: f"/r/{LARGE}?untagged=sha256:{chance.getrandbits(256):064x}",
        "its history": lambda: f"/r/{LARGE}?history={chance.randrange(1, stock.tags)}",
        "activity": lambda: "/activity",
        "any layer": lambda: f"/layers/{digest_for(f'layer {number()}')}",
        "two tags to compare": lambda: f"/compare/{LARGE}",
        "a tag to delete": lambda: f"/delete/{LARGE}:{tag()}",
        "policies": lambda: "/policies",
        "exemptions": lambda: "/exemptions",
        "principals": lambda: "/principals",
        "garbage, why something is kept": lambda: f"/gc?explain={image_digest(number())}",
    }
    return [_page(name, path) for name, path in asked.items()]


def image_questions(running: Running, authorization: str) -> list[Question]:
    """Pages of images whose content is there: they are pushed first, enough to fill the page of activity."""
    image = small_image()
    with Connection(Target(running.target.port, authorization)) as wire:
        for item in (image.layer, image.config):
            held(wire, item, _REPOSITORY)
        for name in (*(f"t{number:02}" for number in range(60)), "older", "newer"):
            put(wire, _REPOSITORY, name, image.manifest({"bench": name}))
    pages = {
        "an image": f"/r/{_REPOSITORY}:newer",
        "a comparison": f"/compare/{_REPOSITORY}?from=older&to=newer",
        "activity after pushes": "/activity",
    }
    return [_page(name, partial(str, path)) for name, path in pages.items()]


def _page(name: str, path: Callable[[], str]) -> Question:
    return Question(f"page: {name}", "GET", path, limit=WEB_MS, largest=WEB_BYTES)
