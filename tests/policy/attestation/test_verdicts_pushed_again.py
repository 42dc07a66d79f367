"""Who may push cannot have an earlier verdict, or one of another repository, listed beside what holds now."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from policy.attestation.forms import ENVELOPE_TYPE
from policy.attestation.types import BUNDLE_TYPE
from registry.oci import media_types
from registry.oci.digest import Digest
from tests.clients.trees import refused_image
from tests.policy.attestation.published import REPOSITORY, bundle, envelopes, get, referrers, statement, tag_of
from tests.policy.attestation.signed import envelope
from tests.policy.attestation.test_renewed_verdicts import YOUNG, turn_to
from tests.policy.live import LiveGateway, live_gateway
from tests.repository import EMPTY_JSON, Pushed, Repository

Document = dict[str, Any]
OLD = "azureml-2019-07"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server."""
    with live_gateway(tmp_path / "data") as gateway:
        yield gateway


@pytest.fixture
def there(live: LiveGateway) -> Iterator[Repository]:
    """The repository, for its owner."""
    with live.client("admin") as client:
        yield Repository(client, REPOSITORY)


@pytest.fixture
def image(live: LiveGateway, tmp_path: Path) -> str:
    """The digest of an image that had passed, until the policy turned; nobody has asked since."""
    turn_to(live, YOUNG)
    return live.push(tmp_path / "image", f"{REPOSITORY}:bad", refused_image())


def refer(there: Repository, subject: str, *layers: Pushed, **members: Any) -> str:
    """Push a manifest that refers to an image; its digest."""
    about = Pushed(Digest(subject), there.get(f"manifests/{subject}").content, media_types.OCI_MANIFEST)
    empty = there.blob(EMPTY_JSON, media_types.OCI_EMPTY)
    return there.image("", *layers, subject=about.descriptor, config=empty.descriptor, **members).digest


def listed(there: Repository, subject: str) -> set[str]:
    """The digests of everything that refers to an image."""
    return {entry["digest"] for entry in there.get(f"referrers/{subject}").json()["manifests"]}


def said(client: httpx.Client, digest: str) -> list[str]:
    """The results of all bundles that are listed, of whatever type the list says they are."""
    entries = json.loads(get(client, f"referrers/{digest}"))["manifests"]
    layers = [json.loads(get(client, f"manifests/{entry['digest']}"))["layers"][0] for entry in entries]
    found = [json.loads(get(client, f"blobs/{layer['digest']}"))["dsseEnvelope"] for layer in layers]
    return [statement(each)["predicate"]["verificationResult"] for each in found]


def test_as_it_was_published(live: LiveGateway, there: Repository, image: str) -> None:
    """Its manifest, byte for byte."""
    (entry,) = referrers(there.client, image)
    raw = get(there.client, f"manifests/{entry['digest']}")
    turn_to(live, OLD)
    assert there.put(entry["digest"], raw).status_code == 201
    assert said(there.client, image) == ["FAILED"]


def shouted(document: Document) -> bytes:
    """With names in capitals, lines in its base64, letters as numbers and a broken one, as readers in Go take it."""
    sealed = document["dsseEnvelope"]
    text = json.dumps({"PAYLOAD": "\n".join(sealed["payload"]), "SIGNATURES": sealed["signatures"]})
    return text.replace('"sig"', r'"\u0073ig"').encode().replace(b"{", b'{"note": "\xff", ', 1)


def in_urls(document: Document) -> bytes:
    """In the alphabet of URLs, with the names of protocol buffers."""
    sealed = document["dsseEnvelope"]
    return json.dumps(
        {"dsse_envelope": {**sealed, "payload": base64.urlsafe_b64encode(base64.b64decode(sealed["payload"])).decode()}}
    ).encode()


WRITTEN: Mapping[str, Callable[[Document], bytes]] = {
    "indented": lambda document: json.dumps(document, indent=4).encode(),
    "shouted": shouted,
    "in urls": in_urls,
    "compressed": lambda document: gzip.compress(json.dumps(document).encode()),
    "long": lambda document: json.dumps(document).encode() + b" " * (5 << 20),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_written_anew(live: LiveGateway, there: Repository, image: str, how: str) -> None:
    """In a manifest of another type, without annotations."""
    document = bundle(there.client, image)
    turn_to(live, OLD)
    refer(there, image, there.blob(WRITTEN[how](document), BUNDLE_TYPE), artifactType="application/vnd.example.note")
    assert said(there.client, image) == ["FAILED"]


def test_in_an_index(live: LiveGateway, there: Repository, image: str) -> None:
    """Of which verifiers read the image for their platform."""
    document = json.dumps(bundle(there.client, image)).encode()
    turn_to(live, OLD)
    child = there.image("", there.blob(document, BUNDLE_TYPE))
    about = Pushed(Digest(image), there.get(f"manifests/{image}").content, media_types.OCI_MANIFEST)
    there.index("", child, subject=about.descriptor)
    assert said(there.client, image) == ["FAILED"]


def attested(there: Repository, image: str) -> list[str]:
    """What the envelopes under the tag say; anything else there is passed over, as verifiers do."""
    layers = there.get(f"manifests/{tag_of(image)}").json()["layers"]
    found = [there.get(f"blobs/{layer['digest']}") for layer in layers if layer["mediaType"] == ENVELOPE_TYPE]
    return [statement(each.json())["predicate"]["verificationResult"] for each in found]


@pytest.mark.parametrize("how", ["alone", "beside something else", "in an index"])
def test_under_the_tag(live: LiveGateway, there: Repository, image: str, how: str) -> None:
    """In another spelling."""
    (earlier,) = envelopes(there.client, image)
    turn_to(live, OLD)
    layer = there.blob(json.dumps(earlier, indent=1).encode(), ENVELOPE_TYPE)
    if how == "in an index":
        there.index(tag_of(image), there.image("", layer))
    else:
        there.image(tag_of(image), layer, *([there.blob(b"x", "text/plain")] if how != "alone" else []))
    assert attested(there, image) == ["FAILED"]


def test_of_another_repository(live: LiveGateway, there: Repository, image: str, tmp_path: Path) -> None:
    """What a copy within the registry takes along: here the registry signs what holds of the copy."""
    raw = json.dumps(bundle(there.client, image)).encode()
    live.push(tmp_path / "copy", "other/app:bad", refused_image())
    copy = Repository(there.client, "other/app")
    pushed = refer(copy, image, copy.blob(raw, BUNDLE_TYPE), artifactType=BUNDLE_TYPE)
    assert (len(listed(copy, image)), pushed in listed(copy, image)) == (1, False)


def test_those_of_others_stay(there: Repository, image: str) -> None:
    """Signed by another key, and referrers that are no bundles."""
    document = {"mediaType": BUNDLE_TYPE, "dsseEnvelope": envelope().document()}
    pushed = {
        refer(there, image, there.blob(json.dumps(document).encode(), BUNDLE_TYPE), artifactType=BUNDLE_TYPE),
        refer(there, image, there.blob(b"a note", "text/plain"), artifactType="application/vnd.example.note"),
    }
    assert pushed < listed(there, image)
    assert len(listed(there, image)) == 3
