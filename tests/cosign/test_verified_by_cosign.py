"""Stock cosign accepts cleared images and refuses refused ones, by tag and digest, after every turn."""

import json
from pathlib import Path

import pytest

from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from tests.clients.trees import cleared_image, refused_image
from tests.cosign.cosign import CUE, REGO, Cosign
from tests.policy.attestation.published import envelopes, tag_of
from tests.policy.attestation.test_renewed_verdicts import YOUNG, exempt, revoke, turn_to
from tests.policy.live import LiveGateway, live_gateway

REPOSITORY = "team/app"


def push(live: LiveGateway, folder: Path) -> list[tuple[str, str]]:
    """A cleared image, an index, a refused image: of each its names, by tag and by digest."""
    good = live.push(folder / "good", f"{REPOSITORY}:good", cleared_image())
    both = live.push(folder / "both", f"{REPOSITORY}:both", cleared_image("1"), cleared_image("2", "arm64"))
    bad = live.push(folder / "bad", f"{REPOSITORY}:bad", refused_image())
    pushed = (("good", good), ("both", both), ("bad", bad))
    return [(f"{REPOSITORY}:{tag}", f"{REPOSITORY}@{digest}") for tag, digest in pushed]


@pytest.mark.parametrize("policy", [REGO, CUE], ids=["rego", "cue"])
def test_cleared_is_accepted_and_refused_is_not(
    live: LiveGateway, cosign: Cosign, tmp_path: Path, policy: Path
) -> None:
    """Images and indexes, by tag and digest, with both kinds of policies."""
    found = [[cosign.accepts(name, policy) for name in names] for names in push(live, tmp_path)]
    assert found == [[True, True], [True, True], [False, False]]


def test_without_a_policy_failed_is_accepted_too(live: LiveGateway, cosign: Cosign, tmp_path: Path) -> None:
    """Which is what docs/verdicts.md says first."""
    *_, bad = push(live, tmp_path)
    assert [cosign.accepts(name, None) for name in bad] == [True, True]


def test_a_reader_is_refused_in_any_case(live: LiveGateway, cosign: Cosign, tmp_path: Path) -> None:
    """Who may not pull an image gets no verdict on it; what it may pull it can verify."""
    good, _, bad = push(live, tmp_path)
    cosign.sign_in("reader")
    assert [cosign.accepts(name, None) for name in bad] == [False, False]
    assert [cosign.accepts(name) for name in good] == [True, True]


def test_every_turn_counts_at_once(live: LiveGateway, cosign: Cosign, tmp_path: Path) -> None:
    """An exemption, its end, another policy: the policy of the file asks for a level of its own."""
    *_, (bad, _) = push(live, tmp_path)
    found = [cosign.accepts(bad, CUE)]
    for turn in (exempt, revoke, lambda served: turn_to(served, YOUNG)):
        turn(live)
        found.append(cosign.accepts(bad, CUE))
    assert found == [False, True, False, True]
    assert not cosign.accepts(bad, REGO)


def test_a_new_key_counts_at_once(live: LiveGateway, cosign: Cosign, tmp_path: Path) -> None:
    """The earlier one verifies nothing that is published from then on."""
    (good, _), *_ = push(live, tmp_path)
    assert cosign.accepts(good)
    KeyRing(live.registry.data, VERDICT_KEY_FILE).rotate()
    earlier = tmp_path / "earlier.pub"
    earlier.write_bytes(cosign.key.read_bytes())
    wait_for_key(cosign, earlier)
    assert [cosign.accepts(good), cosign.accepts(good, key=earlier)] == [True, False]


def wait_for_key(cosign: Cosign, earlier: Path) -> None:
    """The server looks at its files four times a second."""
    while cosign.key.read_bytes() == earlier.read_bytes():
        cosign.fetch_key()


@pytest.mark.parametrize("form", ["referrer", "tag"])
def test_one_form_is_enough(tmp_path: Path, version: str, form: str) -> None:
    """With the other switched off."""
    other = {"referrer": "tag", "tag": "referrer"}[form]
    with live_gateway(tmp_path / "data", attest={other: "off"}) as live:
        (good, _), _, (bad, _) = push(live, tmp_path)
        cosign = Cosign(tmp_path / "home", live, version)
        assert [cosign.accepts(good), cosign.accepts(bad)] == [True, False]


def test_stored_ones_verify_as_well(tmp_path: Path, version: str) -> None:
    """Both forms stored, before and after a turn of the policy."""
    with live_gateway(tmp_path / "data", attest={"referrer": "stored", "tag": "stored"}) as live:
        (good, _), _, (bad, _) = push(live, tmp_path)
        cosign = Cosign(tmp_path / "home", live, version)
        before = [cosign.accepts(good), cosign.accepts(bad, CUE)]
        turn_to(live, YOUNG)
        assert [*before, cosign.accepts(bad, CUE)] == [True, False, True]


def test_attestations_of_others_stand_beside_it(live: LiveGateway, cosign: Cosign, tmp_path: Path) -> None:
    """Somebody attests with cosign under the tag: it stays, and the verdict that holds is beside it after a turn."""
    *_, (bad, by_digest) = push(live, tmp_path)
    assert cosign.run("generate-key-pair", "--output-key-prefix", "theirs").returncode == 0
    (tmp_path / "note.json").write_text(json.dumps({"seen": "yes"}))
    made = ["--key", "theirs.key", "--type", "https://example.com/note", "--predicate", str(tmp_path / "note.json")]
    signing = attesting(cosign)
    done = cosign.run("attest", *made, *signing, "--yes", f"{live.host}/{by_digest}")
    assert done.returncode == 0, done.stderr
    assert [cosign.accepts(bad, CUE), cosign.accepts(bad, None)] == [False, True]
    turn_to(live, YOUNG)
    assert cosign.accepts(bad, CUE)
    with live.client("admin") as client:
        digest = by_digest.partition("@")[2]
        assert tag_of(digest) in client.get(f"/v2/{REPOSITORY}/tags/list").json()["tags"]
        assert len(envelopes(client, digest)) == 2


def attesting(cosign: Cosign) -> list[str]:
    """The flags with which it attests under the tag, and without a log."""
    if cosign.program.name.startswith("v2"):
        return ["--tlog-upload=false"]
    return ["--use-signing-config=false", "--tlog-upload=false", "--new-bundle-format=false"]
