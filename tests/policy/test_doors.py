"""The door matrix: every route that hands out content x every state x every role x every mode, over real HTTP.

A route that the table gains fails `test_every_route_has_a_cell` until it has a probe here, or is named among those that
hand out nothing.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import httpx
import pytest

from policy.again import forget_image
from policy.app import build
from policy.gate import PolicyGate
from policy.gateway import routes as gateway_routes
from policy.gateway.clearance import Clearances
from policy.policies import DEFAULT, known_policies
from policy.settings import Settings
from policy.verdict import State
from registry.api import routes
from registry.auth.actions import Role
from registry.auth.enrolment import draft, record
from registry.oci.digest import Digest
from registry.oci.names import Tag
from registry.settings import SettingsInForce
from tests.policy.images_made import MadeImage, artifact, bad, base, damaged, good, image, layer, miniconda
from tests.policy.lab import TEAM, open_lab
from tests.servers import running

MODES = ("enforce", "reject", "warn", "audit")
ROLES = {"owner": Role.OWNER, "pusher": Role.ACR_PUSH, "reader": Role.ACR_PULL, "deleter": Role.ACR_DELETE}
SUBJECT = Digest.of(b"what all of them refer to")


def referring(made: MadeImage) -> MadeImage:
    """The same image with a subject, so that it is listed among its referrers."""
    document = json.loads(made.manifest)
    document["subject"] = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": SUBJECT, "size": 1}
    return replace(made, manifest=json.dumps(document).encode())


POLICY = known_policies()[DEFAULT]
PENDING = image(layer(base("18.04")), layer(miniconda("4.6.0", "3.6.7")))
IMAGES: Mapping[State, MadeImage] = {
    State.CLEARED: referring(good()),
    State.REFUSED: referring(bad()),
    State.INCONCLUSIVE: referring(damaged()),
    State.NOT_APPLICABLE: referring(artifact()),
    State.PENDING: referring(PENDING),
}


def tag(state: State) -> str:
    """Each image is tagged with its state."""
    return state.value


def manifest_is_open(client: httpx.Client, state: State) -> bool:
    """By tag and by digest, GET and HEAD; all must agree."""
    paths = [f"/v2/{TEAM}/manifests/{name}" for name in (tag(state), IMAGES[state].digest)]
    found = {client.request(method, path).status_code for method in ("GET", "HEAD") for path in paths}
    assert len({status == 200 for status in found}) == 1, found
    return found == {200}


def blob_is_open(client: httpx.Client, state: State) -> bool:
    """The last layer, which no other image has: GET, HEAD and a range; all must agree."""
    path = f"/v2/{TEAM}/blobs/{Digest.of(IMAGES[state].layers[-1])}"
    part = client.get(path, headers={"Range": "bytes=0-3"}).status_code
    found = {client.get(path).status_code, client.head(path).status_code, 200 if part == 206 else part}
    assert len({status == 200 for status in found}) == 1, found
    return found == {200}


def referrer_is_listed(client: httpx.Client, state: State) -> bool:
    """Whether the image is shown among the referrers of its subject."""
    answer = client.get(f"/v2/{TEAM}/referrers/{SUBJECT}")
    listed = answer.json().get("manifests", []) if answer.status_code == 200 else []
    return IMAGES[state].digest in {item["digest"] for item in listed}


def reference_is_allowed(client: httpx.Client, state: State) -> bool:
    """Whether a deployment may start from it."""
    answer = client.post("/policy/v1/references:check", json={"reference": f"{TEAM}:{tag(state)}"})
    return answer.status_code == 200 and answer.json()["allowed"] is True


PROBES: Mapping[str, Callable[[httpx.Client, State], bool]] = {
    "manifests.pull": manifest_is_open,
    "blobs.pull": blob_is_open,
    "referrers.page": referrer_is_listed,
    "routes.check": reference_is_allowed,
}
# What a manifest says of an image, or that it exists, is not its content; pushes have their own tests.
HAND_OUT_NOTHING = {
    *("root.check", "catalog.page", "tags.page", "routes.explain", "tokens.grant", "tokens.redeem", "tokens.exchange"),
    *("manifests.push", "manifests.delete", "blobs.delete", "health.alive", "health.ready", "health.metrics"),
    *("uploads.start", "uploads.status", "uploads.append", "uploads.finish", "uploads.cancel"),
}


def expected(operation: str, state: State, role: str, mode: str) -> bool:
    """The design's words as one rule."""
    if role == "deleter":
        return False
    lax = mode in {"warn", "audit"}
    if operation == "routes.check":
        return state is State.CLEARED or (lax and state is not State.NOT_APPLICABLE)
    return state in {State.CLEARED, State.NOT_APPLICABLE} or lax or role in {"owner", "pusher"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data folder with one image in each state, and the secrets of one principal for each role."""

    data: Path
    secrets: Mapping[str, str]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Pushed under the default mode; one of them is forgotten again."""
    data = tmp_path_factory.mktemp("doors") / "data"
    secrets = {}
    with open_lab(data) as lab:
        for state, made in IMAGES.items():
            lab.pushed(made, Tag(tag(state)))
        lab.run(forget_image(lab.storage, lab.metadata, lab.ledger, TEAM, IMAGES[State.PENDING].digest))
        for name, role in ROLES.items():
            made_principal = draft(name, role)
            lab.run(lab.metadata.write(record, made_principal))
            secrets[name] = made_principal.secret()
    return Prepared(data, secrets)


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Each mode."""
    return str(request.param)


@pytest.fixture(scope="module")
def url(prepared: Prepared, mode: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in that mode, whose inspection worker stands still, so that what is pending stays so."""
    data = tmp_path_factory.mktemp(mode) / "data"
    shutil.copytree(prepared.data, data)
    policy = {"mode": mode, "wait_seconds": 0, "inspection": {"workers": 1, "wall_seconds": 3600}}
    app = build(
        Settings.model_validate(
            {
                "data": data,
                "listen": "127.0.0.1:0",
                "log": {"level": "error", "access": False},
                "operations": {"watch": False},
                "policy": policy,
            }
        )
    )
    assert isinstance(app.rooms.gate, PolicyGate)
    stop_worker(app.rooms.gate, data)
    with running(app) as live:
        yield live.url


def stop_worker(gate: PolicyGate, data: Path) -> None:
    """Start the only worker, let it do one layer, and stop its process."""
    digest = Digest.of(IMAGES[State.CLEARED].layers[0])
    workers = gate.inspector.workers
    workers.inspect(digest, data / "blobs" / "sha256" / digest.encoded[:2] / digest.encoded).future.result()
    os.kill(workers.pids[0], signal.SIGSTOP)
    while "T (stopped)" not in Path(f"/proc/{workers.pids[0]}/status").read_text():
        time.sleep(0.01)


def test_every_cell(prepared: Prepared, url: str, mode: str) -> None:
    """Every door is as open as the design says, for every state and role."""
    wrong = []
    for role, secret in prepared.secrets.items():
        with httpx.Client(base_url=url, auth=(role, secret), timeout=30) as client:
            for (operation, probe), state in product(PROBES.items(), IMAGES):
                if probe(client, state) is not expected(operation, state, role, mode):
                    wrong.append((operation, state.value, role))
    assert wrong == []


def test_anonymous_callers_get_nothing(url: str) -> None:
    """Without credentials no door opens in any mode."""
    with httpx.Client(base_url=url, timeout=30) as client:
        assert not any(probe(client, state) for probe, state in product(PROBES.values(), IMAGES))


def test_every_route_has_a_cell() -> None:
    """A new route is either probed in the matrix or known to hand out nothing."""
    settings = SettingsInForce(Settings())
    mine = gateway_routes.table(Clearances.__new__(Clearances), settings)
    known = {row.operation for row in (*routes.TABLE, *mine)}
    assert known == PROBES.keys() | HAND_OUT_NOTHING


def test_the_images_are_in_the_states_they_are_named_after(prepared: Prepared) -> None:
    """The matrix means what it says."""
    with open_lab(prepared.data) as lab:
        known = {state: lab.gate.judge.known_state(made.digest, POLICY) for state, made in IMAGES.items()}
    assert known == {state: None if state is State.PENDING else state for state in IMAGES}
