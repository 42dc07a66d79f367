"""`python -m tests.runtime --seed 0 --count 5000`: random stacks, every runtime asked about each, and a table.

A run that was stopped goes on where it was: what is known of each seed is kept in results/runtime-fuzz.json, of those
of `--torn` in results/runtime-fuzz-torn.json.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtime.court import Court, Trial
from tests.runtime.ruling import INCONCLUSIVE
from tests.runtime.site import court
from tests.runtime.stacks import Stack, stack
from tests.runtime.torn_stacks import torn_stack

RESULTS = Path("results")
_EVERY = 20


@dataclass(frozen=True)
class Mode:
    """One generator and what is known of its seeds.

    Attributes:
        make: the image of a seed.
        kept: the file.
    """

    make: Callable[[int], Stack]
    kept: Path


ORDINARY = Mode(stack, RESULTS / "runtime-fuzz.json")
TORN = Mode(torn_stack, RESULTS / "runtime-fuzz-torn.json")


def outcome(trial: Trial) -> dict[str, Any]:
    """What is kept of one stack."""
    shown = {str(facts) for facts in trial.shown.values()}
    return {
        "state": trial.ruling.state,
        "asked": len(trial.answers),
        "started": len(trial.shown),
        "agree": len(shown) == 1 and len(trial.shown) == len(trial.answers),
        "disagreements": trial.disagreements(),
    }


def table(found: dict[str, dict[str, Any]], runtimes: list[str]) -> str:
    """The figures."""
    states = Counter(item["state"] for item in found.values())
    agreed = [item for item in found.values() if item["agree"]]
    unclear = sum(item["state"] == INCONCLUSIVE for item in agreed)
    share = 100 * unclear / len(agreed) if agreed else 0
    wrong = sorted((int(seed) for seed, item in found.items() if item["disagreements"]))
    rows = [
        ("stacks", str(len(found))),
        ("runtimes", ", ".join(runtimes)),
        ("disagreements", f"{len(wrong)} {wrong or ''}".strip()),
        *((state, str(number)) for state, number in sorted(states.items())),
        ("started by all, who agree", str(len(agreed))),
        ("inconclusive among those", f"{unclear} ({share:.1f} %)"),
        ("started by none", str(sum(item["started"] == 0 for item in found.values()))),
    ]
    return "\n".join(f"{name:<28}{value}" for name, value in rows)


def heard(made: Court, mode: Mode, seeds: range, found: dict[str, dict[str, Any]]) -> None:
    """Ask about every seed that is not known yet; disagreements are printed at once."""
    for done, seed in enumerate((seed for seed in seeds if str(seed) not in found), start=1):
        trial = made.hear(f"seed {seed}", mode.make(seed).image, everybody=True)
        found[str(seed)] = outcome(trial)
        if trial.disagreements():
            sys.stdout.write(f"{trial.told()}\n")
        if done % _EVERY == 0:
            keep(mode, found)
            sys.stdout.write(f"\r{len(found)} stacks known")
            sys.stdout.flush()


def keep(mode: Mode, found: dict[str, dict[str, Any]]) -> None:
    """Write down what is known, as a whole."""
    mode.kept.parent.mkdir(exist_ok=True)
    fresh = mode.kept.with_suffix(".new")
    fresh.write_text(json.dumps(found))
    fresh.replace(mode.kept)


def main() -> int:
    """0 when nobody disagrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=5000, help="how many seeds")
    parser.add_argument("--torn", action="store_true", help="stacks in which single members of prefixes come and go")
    parser.add_argument("--anew", action="store_true", help="forget what is known of earlier runs")
    wanted = parser.parse_args()
    seeds = range(wanted.seed, wanted.seed + wanted.count)
    mode = TORN if wanted.torn else ORDINARY
    found = json.loads(mode.kept.read_text()) if mode.kept.exists() and not wanted.anew else {}
    with court(newest=True) as made:
        try:
            heard(made, mode, seeds, found)
        finally:
            keep(mode, found)
        asked = {seed: item for seed, item in found.items() if int(seed) in seeds}
        sys.stdout.write(f"\n{table(asked, made.runtimes)}\n")
    return int(any(item["disagreements"] for item in asked.values()))


if __name__ == "__main__":
    sys.exit(main())
