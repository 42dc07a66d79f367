"""Kyverno admits Pods of cleared images and refuses those of refused ones, by tag and digest, after every turn."""

from pathlib import Path

import pytest

from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from registry.cli.certificate_authority import make_certificates
from tests.clients.trees import cleared_image, refused_image
from tests.kyverno.kyverno import TAG_POLICY, Kyverno
from tests.policy.attestation.test_renewed_verdicts import YOUNG, exempt, revoke, turn_to
from tests.policy.kubernetes.reviews import Document, container, pod
from tests.policy.live import LiveGateway, live_gateway

NOT_PASSED = "basegate's verdict on an image is not PASSED"
NOT_SIGNED = "an image has no verdict that basegate's key has signed"


def push(live: LiveGateway, folder: Path) -> list[list[str]]:
    """A cleared image, an index, a refused image: of each its names, by tag and by digest."""
    good = live.push(folder / "good", "team/app:good", cleared_image())
    both = live.push(folder / "both", "team/app:both", cleared_image("1"), cleared_image("2", "arm64"))
    bad = live.push(folder / "bad", "team/app:bad", refused_image())
    pushed = (("good", good), ("both", both), ("bad", bad))
    return [[f"team/app:{tag}", f"team/app@{digest}"] for tag, digest in pushed]


def test_cleared_passes_and_refused_fails(live: LiveGateway, kyverno: Kyverno, tmp_path: Path) -> None:
    """Images and indexes, by tag and digest."""
    found = [[kyverno.answer(name) for name in names] for names in push(live, tmp_path)]
    assert found == [["pass", "pass"], ["pass", "pass"], ["fail", "fail"]]


def test_it_says_why(live: LiveGateway, kyverno: Kyverno, tmp_path: Path) -> None:
    """The signature of a refused image verifies: what it says is not PASSED."""
    *_, (bad, _) = push(live, tmp_path)
    assert NOT_PASSED in kyverno.apply(bad).stdout


def test_every_turn_counts_at_once(live: LiveGateway, kyverno: Kyverno, tmp_path: Path) -> None:
    """An exemption, its end, another policy."""
    *_, (bad, _) = push(live, tmp_path)
    found = [kyverno.answer(bad)]
    for turn in (exempt, revoke, lambda served: turn_to(served, YOUNG)):
        turn(live)
        found.append(kyverno.answer(bad))
    assert found == ["fail", "pass", "fail", "pass"]


def test_another_key_verifies_nothing(live: LiveGateway, kyverno: Kyverno, tmp_path: Path) -> None:
    """One of another store, then the registry's own again."""
    (good, _), *_ = push(live, tmp_path)
    own = (kyverno.home / "cosign.pub").read_bytes()
    (kyverno.home / "cosign.pub").write_bytes(KeyRing(tmp_path / "other", VERDICT_KEY_FILE).pem())
    kyverno.fill()
    done = kyverno.apply(good)
    assert (kyverno.told(done), NOT_SIGNED in done.stdout) == ("fail", True)
    (kyverno.home / "cosign.pub").write_bytes(own)
    kyverno.fill()
    assert kyverno.answer(good) == "pass"


def test_a_reader_is_told_nothing_of_what_is_withheld(live: LiveGateway, kyverno: Kyverno, tmp_path: Path) -> None:
    """What it may not pull is an error, with the registry's reason; what it may pull passes."""
    good, _, bad = push(live, tmp_path)
    kyverno.sign_in("reader")
    assert [kyverno.answer(name) for name in (*good, *bad)] == ["pass", "pass", "error", "error"]


@pytest.mark.parametrize("place", ["initContainers", "ephemeralContainers", "volumes"])
def test_every_place_of_an_image_counts(live: LiveGateway, kyverno: Kyverno, tmp_path: Path, place: str) -> None:
    """Beside a container of a cleared image."""
    (good, _), _, (bad, _) = push(live, tmp_path)

    def with_another(name: str) -> Document:
        image = f"{live.host}/{name}"
        another = {"image": {"reference": image}} if place == "volumes" else {"image": image}
        spec = container(f"{live.host}/{good}")["spec"]
        return pod({**spec, place: [{"name": "another", **another}]})

    assert [kyverno.told(kyverno.apply_to(with_another(name))) for name in (good, bad)] == ["pass", "fail"]


def test_images_of_others_are_not_its_business(kyverno: Kyverno) -> None:
    """Of a registry that the policy does not name; nobody asks there."""
    assert kyverno.told(kyverno.apply_to(container("registry.example/team/app:v1"))) == "pass"


@pytest.mark.parametrize("form", ["virtual", "stored"])
def test_the_bundle_alone_is_enough(tmp_path: Path, form: str) -> None:
    """Made when asked for, or stored; without the tag."""
    with live_gateway(tmp_path / "data", attest={"tag": "off", "referrer": form}) as live:
        (good, _), _, (bad, _) = push(live, tmp_path)
        kyverno = Kyverno(tmp_path / "home", live)
        assert [kyverno.answer(good), kyverno.answer(bad)] == ["pass", "fail"]


def test_the_tag_alone_is_not_enough(tmp_path: Path) -> None:
    """Kyverno wants a log for what is under it, as docs/verdicts.md says."""
    with live_gateway(tmp_path / "data", attest={"referrer": "off"}) as live:
        (good, _), *_ = push(live, tmp_path)
        done = Kyverno(tmp_path / "home", live).apply(good)
        assert (done.returncode, NOT_SIGNED in done.stdout) == (1, True)


def test_what_the_policy_does_not_ask_about(kyverno: Kyverno) -> None:
    """A Deployment: its Pods are asked about when they are made."""
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "lab"}}
    done = kyverno.apply_to({**deployment, "spec": {"template": container("registry.example/team/app:v1")}})
    assert (done.returncode, kyverno.told(done)) == (3, "nothing asked")


@pytest.mark.parametrize(("kind", "other"), [("Cosign", "referrer"), ("SigstoreBundle", "tag")])
def test_a_cluster_policy_reads_either_form(tmp_path: Path, kind: str, other: str) -> None:
    """The tag, or the bundle, with the other switched off."""
    with live_gateway(tmp_path / "data", attest={other: "off"}) as live:
        (good, _), (both, _), (bad, _) = push(live, tmp_path)
        kyverno = Kyverno(tmp_path / "home", live)
        kyverno.policy = TAG_POLICY
        file = kyverno.home / TAG_POLICY
        file.write_text(file.read_text().replace("type: Cosign", f"type: {kind}"))
        assert [kyverno.answer(name) for name in (good, both, bad)] == ["pass", "pass", "fail"]


def test_over_tls(tmp_path: Path) -> None:
    """With the CA of `tls init`."""
    made = make_certificates(tmp_path / "data", ["127.0.0.1"])
    with live_gateway(tmp_path / "data", ca=made.ca, tls_cert=made.certificate, tls_key=made.key) as live:
        (good, _), _, (bad, _) = push(live, tmp_path)
        kyverno = Kyverno(tmp_path / "home", live)
        assert [kyverno.answer(good), kyverno.answer(bad)] == ["pass", "fail"]
