"""`?mutate=digest`: tags become the digests that were judged, by a patch that `jsonpatch` applies."""

import base64
import json
from typing import Any

import jsonpatch
import pytest

from tests.policy.kubernetes.conftest import LAB
from tests.policy.kubernetes.reviews import admission_review, admitted, asked, container, pod
from tests.policy.kubernetes.test_admission import BAD, GOOD, OBJECTS
from tests.policy.live import LiveGateway


def patched(thing: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """The object as Kubernetes stores it."""
    assert response["patchType"] == "JSONPatch"
    patch = json.loads(base64.b64decode(response["patch"], validate=True))
    applied: dict[str, Any] = jsonpatch.apply_patch(thing, patch)
    return applied


def with_good(name: str) -> dict[str, Any]:
    """One of the objects, with an image that is cleared."""
    thing: dict[str, Any] = json.loads(json.dumps(OBJECTS[name]).replace(BAD, GOOD))
    return thing


@pytest.mark.parametrize("name", OBJECTS)
def test_every_place_is_pinned(gateway: LiveGateway, name: str) -> None:
    """The object names the digest then, nothing else of it is changed, and it is allowed as it is."""
    thing = with_good(name)
    pinned = patched(thing, asked(gateway, thing, mutate="digest"))
    (text,) = {part for part in json.dumps(pinned).split('"') if part.startswith(LAB)}
    assert text.startswith(f"{LAB}/team/app@sha256:")
    assert json.loads(json.dumps(pinned).replace(text, GOOD)) == thing
    again = asked(gateway, pinned, mutate="digest")
    assert (again["allowed"], "patch" in again) == (True, False)


def test_it_is_the_digest_that_was_judged(gateway: LiveGateway) -> None:
    """And not another one."""
    checked = gateway.check("reader", reference=GOOD).json()["digest"]
    pinned = patched(container(GOOD), asked(gateway, container(GOOD), mutate="digest"))
    assert pinned["spec"]["containers"][0]["image"] == f"{LAB}/team/app@{checked}"


def test_the_address_for_webhooks(gateway: LiveGateway) -> None:
    """Kubernetes takes no query in it: the same answer at a path."""
    review = admission_review(container(GOOD))
    with gateway.client("reader") as client:
        answers = [client.post(f"/policy/v1/admission{end}", json=review) for end in ("?mutate=digest", "/digest")]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["response"]["patchType"] == "JSONPatch"


def test_nothing_is_pinned_unasked(gateway: LiveGateway) -> None:
    """A webhook that validates must not be answered with a patch."""
    assert "patch" not in asked(gateway, container(GOOD))


def test_nothing_is_pinned_in_what_is_denied(gateway: LiveGateway) -> None:
    """Not even its images that are cleared."""
    response = asked(gateway, pod({"containers": [{"image": GOOD}, {"image": BAD}]}), mutate="digest")
    assert (response["allowed"], "patch" in response) == (False, False)


def test_names_with_signs_of_pointers(gateway: LiveGateway) -> None:
    """A path is written as RFC 6901 has it."""
    thing = {"kind": "Zzz", "a/b~c": {"image": GOOD}}
    pinned = patched(thing, asked(gateway, thing, mutate="digest"))
    assert pinned["a/b~c"]["image"].startswith(f"{LAB}/team/app@sha256:")


def test_what_a_change_leaves_is_left(gateway: LiveGateway) -> None:
    """An update pins what is new in it."""
    before = container(GOOD)
    after = pod({"containers": [*before["spec"]["containers"], {"name": "d", "image": GOOD}]})
    with gateway.client("reader") as client:
        pinned = patched(after, admitted(client, after, "UPDATE", before, mutate="digest"))
    assert pinned["spec"]["containers"][0] == before["spec"]["containers"][0]
    assert "@sha256:" in pinned["spec"]["containers"][1]["image"]
