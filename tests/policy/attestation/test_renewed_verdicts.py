"""Signed verdicts follow what holds: exemptions, policies, keys; the newest alone is published, all are kept."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from policy.definition.policy import known_policies
from policy.enforcement.activation import activate
from policy.enforcement.exemptions import Exemption
from policy.enforcement.operator_file import FILE, OperatorFileInForce, change_orders
from policy.results.sqlite_store import FILE as RESULTS
from policy.results.sqlite_store import SqliteResults
from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from registry.metadata import attestations as rows
from registry.metadata.attestations import AttestationRow
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from tests.clients.trees import refused_image
from tests.policy.attestation.published import REPOSITORY, bundle, get, referrers, result, statement, tag_of
from tests.policy.live import LiveGateway, live_gateway
from tests.waiting import wait_until

YOUNG = "azureml-2020-09"
"""A policy that clears Python 3.7."""
EXEMPTION = Exemption("0" * 8, "*", "", "*", "ops", "a test", time.time() + 3600)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server."""
    with live_gateway(tmp_path / "data") as gateway:
        yield gateway


@pytest.fixture
def admin(live: LiveGateway) -> Iterator[httpx.Client]:
    """Its owner."""
    with live.client("admin") as client:
        yield client


@pytest.fixture
def refused(live: LiveGateway, tmp_path: Path) -> str:
    """The digest of an image that is refused, whose verdict somebody has seen."""
    return live.push(tmp_path / "refused", f"{REPOSITORY}:bad", refused_image())


def turn_to(live: LiveGateway, name: str) -> None:
    """Put a policy in force for all, as the command does."""
    data = live.registry.data
    results = SqliteResults(data / RESULTS)
    try:
        activate(OperatorFileInForce(data / FILE), results, known_policies()[name], "*", time.time())
    finally:
        results.close()
    _seen()


def exempt(live: LiveGateway) -> None:
    """Exempt everything, as the command does."""
    change_orders(live.registry.data / FILE, lambda orders: orders.with_exemption(EXEMPTION))
    _seen()


def revoke(live: LiveGateway) -> None:
    """Take the exemption back."""
    change_orders(live.registry.data / FILE, lambda orders: orders.without_exemption(EXEMPTION.id))
    _seen()


def _seen() -> None:
    """The server looks at its files four times a second."""
    time.sleep(0.3)


def history(live: LiveGateway, digest: str) -> list[AttestationRow]:
    """All that is recorded of an image, the newest first."""
    metadata = live.registry.app.services.stores.metadata
    return metadata.read_now(rows.newest, RepositoryName(REPOSITORY), Digest(digest), 100)


def test_a_policy_turns_it(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """At once and in both forms; it names the policy in force."""
    assert result(admin, refused) == "FAILED"
    turn_to(live, YOUNG)
    assert result(admin, refused) == "PASSED"
    predicate = statement(bundle(admin, refused)["dsseEnvelope"])["predicate"]
    assert predicate["policy"]["digest"]["sha256"] == known_policies()[YOUNG].digest.partition(":")[2]
    assert predicate["verifiedLevels"] == ["BASEGATE_AZUREML_2020_09"]


def test_an_exemption_turns_it_and_its_end_turns_it_back(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """PASSED with a level of its own while it lasts."""
    exempt(live)
    predicate = statement(bundle(admin, refused)["dsseEnvelope"])["predicate"]
    assert predicate["verifiedLevels"] == ["BASEGATE_AZUREML_2019_07_EXEMPTED"]
    assert "a test" in predicate["urn:basegate:verdict"]["exemptions"][0]
    revoke(live)
    assert result(admin, refused) == "FAILED"


def test_earlier_ones_are_kept_and_leave_both_forms(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """The newest alone is published; what was published before can still be fetched by its digest."""
    (before,) = referrers(admin, refused)
    turn_to(live, YOUNG)
    (after,) = referrers(admin, refused)
    assert before["digest"] != after["digest"]
    assert get(admin, f"manifests/{before['digest']}")
    assert ["FAILED" in str(row.statement) for row in history(live, refused)] == [False, True]


def test_the_same_verdict_is_recorded_once(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """However often it is asked for, and when the image is pushed again."""
    for _ in range(3):
        assert result(admin, refused) == "FAILED"
    raw = get(admin, f"manifests/{refused}")
    kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
    admin.put(f"/v2/{REPOSITORY}/manifests/again", content=raw, headers=kind).raise_for_status()
    assert len(history(live, refused)) == 1


def test_what_nobody_asks_for_is_renewed_too(live: LiveGateway, refused: str) -> None:
    """In the background: the history is complete, and everything is signed."""
    turn_to(live, YOUNG)

    def is_complete() -> bool:
        found = history(live, refused)
        return len(found) > 1 and all(row.signature for row in found)

    wait_until(is_complete, 60)


def test_a_new_key_signs_what_is_published(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """And the earlier key stays among the public ones, for what it has signed."""
    first = bundle(admin, refused)["verificationMaterial"]["publicKey"]["hint"]
    key = KeyRing(live.registry.data, VERDICT_KEY_FILE).rotate()
    _seen()
    assert bundle(admin, refused)["verificationMaterial"]["publicKey"]["hint"] == key.kid
    public = [jwk["kid"] for jwk in admin.get("/policy/v1/keys").json()["keys"]]
    assert public[1:] == [key.kid, first]
    assert [row.key for row in history(live, refused)] == [key.kid, first]


def test_it_goes_with_its_image(live: LiveGateway, admin: httpx.Client, refused: str) -> None:
    """After a delete nothing of it is served or kept."""
    (entry,) = referrers(admin, refused)
    admin.delete(f"/v2/{REPOSITORY}/manifests/{refused}").raise_for_status()
    assert referrers(admin, refused) == []
    gone = [f"manifests/{entry['digest']}", f"manifests/{tag_of(refused)}"]
    assert {admin.get(f"/v2/{REPOSITORY}/{path}").status_code for path in gone} == {404}
    assert history(live, refused) == []


@pytest.mark.parametrize(("form", "other"), [("referrer", "tag"), ("tag", "referrer")])
def test_each_form_can_be_off(tmp_path: Path, form: str, other: str) -> None:
    """The other one is served."""
    with live_gateway(tmp_path / "data", attest={form: "off"}) as live, live.client("admin") as client:
        digest = live.push(tmp_path / "image", f"{REPOSITORY}:bad", refused_image())
        there = {
            "referrer": bool(referrers(client, digest)),
            "tag": client.get(f"/v2/{REPOSITORY}/manifests/{tag_of(digest)}").status_code == 200,
        }
    assert there == {form: False, other: True}
