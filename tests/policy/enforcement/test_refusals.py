"""Refusals: the latest are kept, each once for who asked for what, and no more than the settings say."""

from policy.decision import AccessPoint
from policy.enforcement.refusals import Asked, Refusals
from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.gate import ALLOWED, Decision
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

NO = Decision(False, "no", {"verdict": "refused", "findings": [{"rule": "python-version", "message": "it is 3.7"}]})
APP = RepositoryName("team/app")


def asked(content: bytes = b"", tag: str = "", who: str = "reader") -> Asked:
    """Somebody asked for an image."""
    return Asked(Principal(who, who, Role.ACR_PULL), APP, Digest.of(content), tag)


def test_the_same_again_is_counted() -> None:
    """With the time of the last, and the tag by which it was asked for before."""
    now = [1.0, 2.0]
    refusals = Refusals(clock=lambda: now.pop(0))
    refusals.noted(AccessPoint.MANIFEST, NO, asked(tag="v1"))
    refusals.noted(AccessPoint.MANIFEST, NO, asked())
    (kept,) = refusals.latest()
    assert (kept.times, kept.time, kept.asked.tag, kept.state, kept.why) == (2, 2.0, "v1", "refused", "it is 3.7")


def test_others_are_others() -> None:
    """Another caller, another image, another door; the latest first."""
    refusals = Refusals()
    for point, each in (
        (AccessPoint.MANIFEST, asked()),
        (AccessPoint.MANIFEST, asked(who="ann")),
        (AccessPoint.MANIFEST, asked(b"2")),
        (AccessPoint.REFERENCE, asked(b"2")),
    ):
        refusals.noted(point, NO, each)
    assert [(each.point, each.asked.principal.id) for each in refusals.latest()] == [
        (AccessPoint.REFERENCE, "reader"),
        (AccessPoint.MANIFEST, "reader"),
        (AccessPoint.MANIFEST, "ann"),
        (AccessPoint.MANIFEST, "reader"),
    ]


def test_no_more_are_kept_than_the_setting_says() -> None:
    """The oldest goes; what is allowed is not kept."""
    refusals = Refusals(lambda: 2)
    for number in range(5):
        refusals.noted(AccessPoint.MANIFEST, NO, asked(b"%d" % number))
        refusals.noted(AccessPoint.MANIFEST, ALLOWED, asked(b"other"))
    assert [each.asked.digest for each in refusals.latest()] == [Digest.of(b"4"), Digest.of(b"3")]
    none = Refusals(lambda: 0)
    none.noted(AccessPoint.PUSH, NO, asked())
    assert none.latest() == []
