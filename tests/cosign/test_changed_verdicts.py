"""Stock cosign refuses a verdict with a changed byte, or of another image, under the key that has signed it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.clients.trees import cleared_image, refused_image
from tests.cosign.cosign import REGO, Cosign
from tests.policy.attestation.changed import Envelope, of_payload, of_signature, passed, refer, tagged
from tests.policy.attestation.published import REPOSITORY, bundle
from tests.policy.live import LiveGateway, live_gateway
from tests.repository import Repository

Carry = Callable[[str, Envelope], None]
NAME = f"{REPOSITORY}:bad"
FORMS: Mapping[str, Callable[[Repository, str, Envelope], None]] = {"referrer": refer, "tag": tagged}
CHANGES: Mapping[str, Callable[[Envelope], Envelope]] = {
    "payload": of_payload,
    "signature": of_signature,
    "payload type": lambda made: {**made, "payloadType": "application/vnd.in-toto+yaml"},
    "result": passed,
}


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[LiveGateway]:
    """Another registry, which publishes no verdicts of its own."""
    with live_gateway(tmp_path / "silent", attest={"referrer": "off", "tag": "off"}) as gateway:
        yield gateway


@pytest.fixture
def elsewhere(silent: LiveGateway, cosign: Cosign, tmp_path: Path, version: str) -> Cosign:
    """cosign there, with the key of the first registry."""
    there = Cosign(tmp_path / "elsewhere", silent, version)
    there.key = cosign.key
    return there


@pytest.fixture
def carry(silent: LiveGateway, tmp_path: Path) -> Carry:
    """Have a refused image in the other registry, and an envelope beside it."""

    def carried(form: str, about: Envelope) -> None:
        digest = silent.push(tmp_path / "copy", f"{REPOSITORY}:bad", refused_image())
        with silent.client("admin") as client:
            FORMS[form](Repository(client, REPOSITORY), digest, about)

    return carried


def verdict(live: LiveGateway, folder: Path, marker: str = "") -> tuple[str, Envelope]:
    """The digest of a refused image, and what was signed of it."""
    digest = live.push(folder, f"{REPOSITORY}:{marker or 'bad'}", refused_image(marker))
    with live.client("admin") as client:
        return digest, bundle(client, digest)["dsseEnvelope"]


@pytest.fixture
def made(live: LiveGateway, tmp_path: Path) -> Envelope:
    """What the first registry has signed of the same image."""
    return verdict(live, tmp_path / "image")[1]


@pytest.mark.parametrize("form", FORMS)
def test_as_it_was_made_it_verifies(made: Envelope, carry: Carry, elsewhere: Cosign, form: str) -> None:
    """Without a policy nothing is asked but the signature: the changes below are what is refused."""
    carry(form, made)
    assert elsewhere.accepts(NAME, None)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_refused(made: Envelope, carry: Carry, elsewhere: Cosign, form: str, change: str) -> None:
    """Without a policy as with one."""
    carry(form, CHANGES[change](made))
    assert [elsewhere.accepts(NAME, policy) for policy in (None, REGO)] == [False, False]


@pytest.mark.parametrize("form", FORMS)
def test_the_verdict_of_another_image_is_refused(
    live: LiveGateway, carry: Carry, elsewhere: Cosign, tmp_path: Path, form: str
) -> None:
    """Its signature is good, and its subject another one."""
    carry(form, verdict(live, tmp_path / "other", "other")[1])
    assert not elsewhere.accepts(NAME, None)


@pytest.mark.parametrize("form", FORMS)
def test_beside_what_holds_it_counts_for_nothing(live: LiveGateway, cosign: Cosign, tmp_path: Path, form: str) -> None:
    """Pushed to the registry that has signed: a refused image stays refused, a cleared one accepted."""
    bad, made = verdict(live, tmp_path / "bad")
    good = live.push(tmp_path / "good", f"{REPOSITORY}:good", cleared_image())
    with live.client("admin") as client:
        for digest in (bad, good):
            FORMS[form](Repository(client, REPOSITORY), digest, passed(made))
    assert [cosign.accepts(f"{REPOSITORY}:{tag}") for tag in ("bad", "good")] == [False, True]
