"""Costs that grow slowly: pages, deletes and the start of a basegate that holds much, over HTTP, one at a time."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import click

from tests.bench.basegate import Basegate
from tests.bench.figures import Figure
from tests.bench.measures import cpu_at_rest, cpu_seconds, resident_memory
from tests.bench.pages import image_questions, page_questions
from tests.bench.policy_turn import measure_turn
from tests.bench.queries import Question, asked
from tests.bench.reviews import measure_reviews
from tests.bench.servers import Running
from tests.bench.starts import FIRST_ANSWER, IDLE
from tests.bench.stock import LARGE, Stock, digest_for, fill, image_digest, tag_name

DELETE_MS = 50.0
"""Goal: milliseconds within which 99 of 100 are answered."""

WATCHED = 0.5
"""Seconds for which a server must rest that has ended what it does behind a start."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured.

    Attributes:
        questions: requests of each kind.
        starts: of each store.
        settle: seconds behind the first answer in which processor time is counted; what is resident then is measured.
    """

    questions: int
    starts: int
    settle: float


def measure_scale(server: Basegate, stock: Stock, effort: Effort, folder: Path) -> list[Figure]:
    """Fill a data folder, start the server over it, ask, and start it over an empty registry to compare."""
    empty, full = folder / "empty", folder / "full"
    found: list[Figure] = []
    admin = {place: _first_start(server, place) for place in (empty, full)}
    began = time.perf_counter()
    fill(full / "data", stock)
    click.echo(f"filled in {time.perf_counter() - began:.0f} s", err=True)
    for what, place in (("an empty registry", empty), (f"{stock.repositories:,} repositories", full)):
        found += _starts(server, place, what, effort)
    running = server.boot(full, "open")
    try:
        first, *others = _questions(stock, effort.questions)
        found += asked(server, running, admin[full], [first], effort.questions)
        found += _quiet(server, running)
        found += asked(server, running, admin[full], others, effort.questions)
        found += asked(server, running, admin[full], image_questions(running, admin[full]), effort.questions)
        found += measure_reviews(server, running, admin[full], effort.questions)
        found += measure_turn(server, running, admin[full], effort.questions)
    finally:
        running.stop()
    return found


def _first_start(server: Basegate, place: Path) -> str:
    """Make the folder's principals; what the admin signs in with."""
    place.mkdir(parents=True)
    running = server.start(place, "secret")
    running.stop()
    return running.target.authorization


def _starts(server: Basegate, place: Path, what: str, effort: Effort) -> Iterator[Figure]:
    """Medians of some starts over what is there."""
    seen = [_started(server, place, effort.settle) for _ in range(effort.starts)]
    cold, until, busy, idle = (statistics.median(column) for column in zip(*seen, strict=True))
    behind = f"{effort.settle:g} s behind it"
    yield Figure("start to first answer", server.name, cold, "s", FIRST_ANSWER, what)
    yield Figure("processor time to first answer", server.name, until, "s", column=what)
    yield Figure(f"processor time in the {behind}", server.name, busy, "s", column=what)
    yield Figure(f"resident {behind}", server.name, idle, "MiB", IDLE, what)


def _started(server: Basegate, place: Path, settle: float) -> tuple[float, float, float, float]:
    running = server.boot(place, "open")
    try:
        before = cpu_seconds(running.process.pid)
        time.sleep(settle)
        busy = cpu_seconds(running.process.pid) - before
        return running.cold, before, busy, resident_memory(running.process.pid) / (1 << 20)
    finally:
        running.stop()


def _quiet(server: Basegate, running: Running) -> Iterator[Figure]:
    """Wait until what the server does by itself after a start is over; how much that was."""
    spent = cpu_at_rest(running.process.pid, WATCHED)
    yield Figure("processor time from a start until all is quiet", server.name, spent, "s")


def _questions(stock: Stock, count: int) -> list[Question]:
    chance = random.Random(20190711)  # noqa: S311 - the same places in every run
    gone = iter(chance.sample(range(stock.large_tags), min(count, stock.large_tags)))

    def somewhere() -> str:
        return stock.name(chance.randrange(1, stock.repositories))

    def tag() -> str:
        return tag_name(chance.randrange(stock.large_tags))

    def behind(smaller: int) -> str:
        return f"sha256:{chance.getrandbits(256) // smaller:064x}"

    notes = f"/v2/{LARGE}/referrers/{image_digest(0)}"
    return [
        Question("catalog, first page, at once after the start", "GET", lambda: "/v2/_catalog"),
        Question("catalog, first page of 100", "GET", lambda: "/v2/_catalog"),
        Question("catalog, page of 100 anywhere", "GET", lambda: f"/v2/_catalog?last={somewhere()}"),
        Question("catalog, page of 1,000 anywhere", "GET", lambda: f"/v2/_catalog?n=1000&last={somewhere()}"),
        Question("tags of any repository", "GET", lambda: f"/v2/{somewhere()}/tags/list"),
        Question("tags, page of 100 of 20,000", "GET", lambda: f"/v2/{LARGE}/tags/list?n=100&last={tag()}"),
        Question("tags, page of 1,000 of 20,000", "GET", lambda: f"/v2/{LARGE}/tags/list?last={tag()}"),
        Question("referrers of an image without any", "GET", lambda: f"/v2/{somewhere()}/referrers/{image_digest(1)}"),
        Question("referrers, page of 100 of 1,000", "GET", lambda: f"{notes}?n=100&last={behind(2)}"),
        # Each asks behind another digest that is smaller than all, so that no answer is given twice.
        Question("referrers, all of 1,000 on one page", "GET", lambda: f"{notes}?last={behind(1 << 20)}"),
        *page_questions(chance, stock),
        *_searches(chance, stock, behind),
        Question(
            "delete of a tag of 20,000",
            "DELETE",
            lambda: f"/v2/{LARGE}/manifests/{tag_name(next(gone))}",
            202,
            DELETE_MS,
        ),
    ]


def _searches(chance: random.Random, stock: Stock, behind: Callable[[int], str]) -> list[Question]:
    """Searches for images: what many meet, what few do, and what nothing does, anywhere in the order."""

    def ask(*conditions: str) -> Callable[[], str]:
        asked = "&".join(quote(each, safe="") for each in conditions)
        return lambda: f"/policy/v1/images?{asked}&last={behind(1)[:15]}"

    def of_layer() -> str:
        return f"/policy/v1/images?layer%3D{digest_for(f'layer {chance.randrange(stock.repositories)}')}"

    def of_repository() -> str:
        return f"/policy/v1/images?repository%3D{stock.name(chance.randrange(1, stock.repositories))}"

    return [
        Question("images: a fact and a verdict that a quarter has", "GET", ask("os.version<16.04", "verdict=refused")),
        Question("images: facts that one in forty has", "GET", ask("os.version=18.04", "conda=4.8.7")),
        Question("images: facts that nothing has", "GET", ask("os.version<16.04", "verdict=cleared")),
        Question("images: facts, a size and a tag", "GET", ask("python>=3.6.5", "size>1MB", "repository~team-000*")),
        Question("images: tags of an age that none has", "GET", ask("tag.age>90d")),
        Question("images: a tag that few have", "GET", ask("tag=build-0000777")),
        Question("images: not pulled, refused", "GET", ask("pulled=never", "verdict=refused")),
        Question("images: of a layer", "GET", of_layer),
        Question("images: of a repository", "GET", of_repository),
    ]
