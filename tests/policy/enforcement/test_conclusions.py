"""What stands on record of many manifests is what is concluded of each of them."""

import time
from collections.abc import Collection, Mapping

from policy.enforcement.conclusion import Conclusion
from policy.enforcement.exemptions import Exemption
from policy.state import State
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.policy.images_made import MadeImage, artifact, bad, good, index
from tests.policy.lab import TEAM, Lab


def on_record(lab: Lab, digests: Collection[Digest]) -> Mapping[Digest, Conclusion]:
    """What is known at once of manifests of a repository."""
    found = lab.gate.conclusions((TEAM, digest) for digest in digests)
    return {digest: conclusion for (_, digest), conclusion in found.items()}


def pushed(lab: Lab, *made: MadeImage) -> list[Digest]:
    """Push and judge them."""
    return [lab.pushed(each, Tag(f"v{number}")).digest for number, each in enumerate(made)]


def test_it_is_what_is_concluded_of_each(lab: Lab) -> None:
    """Of images that are cleared and refused, and of what is no image."""
    digests = pushed(lab, good(), bad(), artifact())
    one_by_one = {digest: lab.run(lab.gate.conclusion(TEAM, digest)) for digest in digests}
    assert on_record(lab, digests) == one_by_one
    assert {each.state for each in one_by_one.values() if each} == {
        State.CLEARED,
        State.REFUSED,
        State.NOT_APPLICABLE,
    }


def test_an_index_is_asked_for_by_itself(lab: Lab) -> None:
    """Its members may have gone since it was judged."""
    (member,) = pushed(lab, good())
    whole = lab.run(lab.push_manifest(index((good().manifest, "linux/amd64")), Tag("both"))).digest
    lab.results.settle()
    assert set(on_record(lab, [member, whole])) == {member}


def test_what_may_be_excused_is_asked_for_by_itself(lab: Lab) -> None:
    """An exemption makes another conclusion of the same state."""
    cleared, refused = pushed(lab, good(), bad())
    exemption = Exemption("ab12", "team/*", "", "*", "ann", "lab week", time.time() + 60)
    lab.gate.change_orders(lambda orders: orders.with_exemption(exemption))
    assert set(on_record(lab, [cleared, refused])) == {cleared}


def test_what_was_not_judged_is_left_out(lab: Lab) -> None:
    """It is inspected when somebody asks for it."""
    assert not on_record(lab, [good().digest])
