"""policy.db is cleaned of what is gone, and keeps what is stored."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from policy.enforcement import cleaning
from policy.enforcement.cleaning import Cleaning
from policy.results import leftovers, profiles, verdicts
from policy.search.profile_facts import ProfileFacts
from policy.state import State
from registry.metadata import garbage
from registry.metadata.trash import collection
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.policy.images_made import bad, good
from tests.policy.lab import TEAM, Lab, open_lab


def clean(lab: Lab, rounds: int = 2) -> int:
    """Rows that went in the last of so many rounds."""
    each = Cleaning(lab.gate, lab.metadata)
    lab.results.settle()
    return [lab.run(each.round()) for _ in range(rounds)][-1]


def names(lab: Lab) -> list[Sequence[str]]:
    """What has rows."""
    pages = [lab.results.read(page, "", 100) for page in (leftovers.inspected, leftovers.layers)]
    return [*pages, lab.results.read(leftovers.policies)]


def test_rows_of_an_image_that_is_gone_go(tmp_path: Path) -> None:
    """Subject, verdict and inspection, when its manifest is deleted and its layers are collected."""
    with open_lab(tmp_path) as lab:
        kept = lab.pushed(good())
        gone = lab.pushed(bad(), Tag("v2"))
        lab.run(lab.manifests.delete(TEAM, gone.digest))
        stale = lab.run(lab.metadata.read(garbage.stale_links, None, 1e12, 100))
        lab.run(lab.metadata.write(garbage.drop_links, stale, 1e12, collection(1.0)))
        assert clean(lab, 1) == 0
        assert clean(lab) > 0
        left = lab.results.read(leftovers.inspected, "", 100)
        assert (kept.digest in left, gone.digest in left) == (True, False)


def test_a_profile_that_no_image_has_goes(tmp_path: Path) -> None:
    """The others stay, and whoever searches finds what there is."""
    with open_lab(tmp_path) as lab:
        kept, gone = lab.pushed(good()), lab.pushed(bad(), Tag("v2"))
        facts = ProfileFacts(lab.results)
        assert facts.matching([]) == {1, 2}
        lab.run(lab.manifests.delete(TEAM, gone.digest))
        clean(lab)
        (left,) = lab.results.read(profiles.since, 0, 10)
        assert lab.results.read(profiles.of, [kept.digest, gone.digest]) == {kept.digest: left.id}
        assert facts.matching([]) == ProfileFacts(lab.results).matching([]) == {left.id}


def test_an_image_that_is_pushed_again_is_there_again(tmp_path: Path) -> None:
    """With its profile, by which it is found, and its verdict; also while the server remembers it."""
    with open_lab(tmp_path) as lab:
        for _ in range(2):
            digest = lab.pushed(bad()).digest
            assert digest in lab.results.read(profiles.of, [digest])
            assert digest in lab.results.read(leftovers.inspected, "", 100)
            lab.run(lab.manifests.delete(TEAM, digest))
            clean(lab)
            assert digest not in lab.results.read(leftovers.inspected, "", 100)


def test_what_is_stored_is_kept(tmp_path: Path) -> None:
    """Round after round."""
    with open_lab(tmp_path) as lab:
        lab.pushed(good())
        before = names(lab)
        assert clean(lab, 3) == 0
        assert (names(lab), all(before)) == (before, True)


def test_verdicts_of_policies_not_in_force_go(tmp_path: Path) -> None:
    """Each edit of a policy leaves one for every manifest."""
    with open_lab(tmp_path) as lab:
        pushed = lab.pushed(good())
        for number in range(20):
            lab.results.write(verdicts.save, f"sha256:{number}", [(pushed.digest, State.CLEARED)])
        assert clean(lab) == 20
        assert len(lab.results.read(leftovers.policies)) == 1


def test_there_may_be_more_than_a_page_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are read a page at a time; each is looked at."""
    monkeypatch.setattr(cleaning, "_PAGE", 2)
    with open_lab(tmp_path) as lab:
        pushed = lab.pushed(good())
        others = [Digest.of(str(number).encode()) for number in range(7)]
        policy = lab.gate.bindings.current().policies[0].digest
        lab.results.write(verdicts.save, policy, [(digest, State.CLEARED) for digest in others])
        assert clean(lab) == 7
        assert lab.results.read(leftovers.judged, policy, "", 100) == [pushed.digest]
