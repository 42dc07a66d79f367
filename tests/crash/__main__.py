"""`python -m tests.crash --seed 0 --count 10000`: faults in a live registry, and a table of what came of them.

A run that was stopped goes on where it was: what is known of each point is kept in results/crash-SEED.json. Points come
in groups of twenty, one after the other in one folder; one group alone is made by --only with the number of a point.
"""

import argparse
import itertools
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.crash.laboratory import Laboratory
from tests.crash.points import Kind, Length, Point, points
from tests.crash.trial import Outcome

GROUP = 20
_COUNTED = ("lost", "wrong", "manual", "other")
_TITLES = ("points", "acknowledged operations checked", "lost", "wrong bytes served", "manual steps", "other findings")


def kept(outcome: Outcome) -> dict[str, Any]:
    """What is kept of one point."""
    return {
        "kind": outcome.point.kind,
        "point": str(outcome.point),
        "hit": outcome.hit,
        **asdict(outcome.found),
    }


def table(known: list[dict[str, Any]]) -> str:
    """The figures, in Markdown: points count whose fault was put in."""
    put_in = [item for item in known if item["hit"]]
    rows = [_row(str(kind), [item for item in put_in if item["kind"] == kind]) for kind in Kind]
    lines = [["", *_TITLES], ["---", *["---:"] * len(_TITLES)], *rows, _row("all", put_in)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, items: list[dict[str, Any]]) -> list[str]:
    counts = Counter({what: sum(len(item[what]) for item in items) for what in _COUNTED})
    checked = sum(item["checked"] for item in items)
    return [name, *(f"{number:,}" for number in (len(items), checked, *(counts[what] for what in _COUNTED)))]


class Kept:
    """What earlier runs of a seed have found."""

    def __init__(self, seed: int, *, anew: bool) -> None:
        self._path = Path("results") / f"crash-{seed}.json"
        there = self._path.exists() and not anew
        found = json.loads(self._path.read_text()) if there else {"lengths": {}, "groups": {}}
        self.groups: dict[str, list[dict[str, Any]]] = found["groups"]
        self.lengths = {name: Length(**length) for name, length in found["lengths"].items()}

    def keep(self) -> None:
        """Write it down, as a whole."""
        self._path.parent.mkdir(exist_ok=True)
        fresh = self._path.with_suffix(".new")
        lengths = {name: asdict(length) for name, length in self.lengths.items()}
        fresh.write_text(json.dumps({"lengths": lengths, "groups": self.groups}))
        fresh.replace(self._path)


def groups(lengths: dict[str, Length], seed: int, count: int) -> Iterator[tuple[str, list[Point]]]:
    """Numbers and points of groups, so many points in all."""
    found = itertools.islice(points(lengths, seed), count)
    for number in itertools.count():
        group = list(itertools.islice(found, GROUP))
        if not group:
            return
        yield str(number), group


def put_in(laboratory: Laboratory, known: Kept, wanted: argparse.Namespace) -> list[dict[str, Any]]:
    """Every group that is not known yet; findings are printed at once."""
    known.lengths = known.lengths or laboratory.lengths()
    asked: list[dict[str, Any]] = []
    for number, group in groups(known.lengths, wanted.seed, wanted.count):
        if wanted.only is not None and int(number) != wanted.only // GROUP:
            continue
        if number not in known.groups or wanted.only is not None:
            known.groups[number] = [kept(outcome) for outcome in laboratory.run(group)]
            known.keep()
        asked += known.groups[number]
        _tell(number, known.groups[number], len(asked))
    return asked


def _tell(number: str, group: list[dict[str, Any]], done: int) -> None:
    for place, item in enumerate(group):
        for what in _COUNTED:
            for text in item[what]:
                sys.stdout.write(f"\npoint {int(number) * GROUP + place}: {item['point']}\n    {what}: {text}\n")
    sys.stdout.write(f"\r{done} points known")
    sys.stdout.flush()


def main() -> int:
    """0 when everything was as promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the order of points and of all chance")
    parser.add_argument("--count", type=int, default=10_000, help="how many points")
    parser.add_argument("--only", type=int, help="put in again the group of this point")
    parser.add_argument("--anew", action="store_true", help="forget what is known of earlier runs")
    wanted = parser.parse_args()
    known = Kept(wanted.seed, anew=wanted.anew)
    with tempfile.TemporaryDirectory() as folder, Laboratory(Path(folder)) as laboratory:
        asked = put_in(laboratory, known, wanted)
    sys.stdout.write(f"\n{table(asked)}\n")
    return int(any(item[what] for item in asked for what in _COUNTED))


if __name__ == "__main__":
    sys.exit(main())
