"""The search finds what a scan in Python finds, in pages that join to the whole."""

import random
from collections.abc import Iterator

import pytest

from policy.search.conditions import read_conditions
from policy.search.images import ImageSearch
from policy.search.question import Question
from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.oci.names import RepositoryName
from tests.policy.lab import Lab, open_lab
from tests.policy.search.random_images import NOW, Made, fill, random_conditions

SEEDS = range(100)
Found = list[tuple[str, str]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, list[Made]]]:
    """A folder of 150 images."""
    with open_lab(tmp_path_factory.mktemp("search")) as lab:
        yield lab, fill(lab, 150, random.Random(7))  # noqa: S311


def found(lab: Lab, texts: list[str], principal: Principal, count: int, looked_at: int = 200) -> Found:
    """All pages."""
    search = ImageSearch(lab.gate, lab.metadata, lambda: looked_at)
    sees = principal.reaches
    pages, after = Found(), ""
    while True:
        question = Question(read_conditions(texts), principal, sees, count, after, NOW)
        page = lab.run(search.page(question))
        assert len(page.images) <= count
        pages += [(each.match.candidate.digest, each.match.candidate.repository) for each in page.images]
        if not page.next:
            return pages
        assert page.next != after
        after = page.next


@pytest.mark.parametrize("seed", SEEDS)
def test_it_finds_what_a_scan_finds(filled: tuple[Lab, list[Made]], seed: int) -> None:
    """For random conditions, sizes of pages and callers; each image once."""
    lab, made = filled
    chance = random.Random(seed)  # noqa: S311
    texts = list(random_conditions(chance))
    patterns = chance.choice((("*",), ("red/*",), ("blue/app-[12]", "red/app-0"), ("none/*",)))
    caller = Principal("1", "somebody", Role.OWNER, patterns)
    seen = found(lab, texts, caller, chance.choice((3, 20, 500)))
    wanted = {
        (each.digest, each.repository)
        for each in made
        if caller.reaches(each.repository) and each.meets(read_conditions(texts))
    }
    assert (sorted(seen), len(seen)) == (sorted(wanted), len(wanted)), texts


def test_the_random_conditions_are_of_use(filled: tuple[Lab, list[Made]]) -> None:
    """Many of them are met by some and not by all."""
    _, made = filled
    counts = []
    for seed in SEEDS:
        conditions = read_conditions(list(random_conditions(random.Random(seed))))  # noqa: S311
        counts.append(sum(each.meets(conditions) for each in made))
    assert sum(0 < count < len(made) for count in counts) > len(SEEDS) // 2


def test_a_place_tells_nothing_of_what_is_not_seen(filled: tuple[Lab, list[Made]]) -> None:
    """Where pages go on, no digest is named of a repository that the caller does not see."""
    lab, made = filled
    caller = Principal("1", "somebody", Role.ACR_PULL, ("red/app-0",))
    search = ImageSearch(lab.gate, lab.metadata, lambda: 5)
    after, hidden = "", {each.digest for each in made if not caller.reaches(each.repository)}
    hidden -= {each.digest for each in made if caller.reaches(each.repository)}
    while True:
        question = Question(read_conditions(["os.name=alpine"]), caller, caller.reaches, 5, after, NOW)
        after = lab.run(search.page(question)).next
        assert after not in hidden
        if not after:
            return


def test_a_token_narrows(filled: tuple[Lab, list[Made]]) -> None:
    """What the caller's token does not cover is not found, although the principal reaches it."""
    lab, _ = filled
    caller = Principal("1", "somebody", Role.OWNER)
    only = RepositoryName("red/app-1")
    search = ImageSearch(lab.gate, lab.metadata, lambda: 10_000)
    page = lab.run(search.page(Question((), caller, lambda name: name == only, 1000, "", NOW)))
    assert {each.match.candidate.repository for each in page.images} == {only}
