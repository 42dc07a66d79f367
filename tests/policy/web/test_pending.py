"""Pages of what is being inspected: they say so at once, where a pull would wait."""

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from policy.app import build
from policy.assessment.reinspect import forget_image
from policy.enforcement.gate import PolicyGate
from policy.settings import Settings
from policy.state import State
from registry.auth.actions import Role
from registry.auth.enrolment import draft
from registry.oci.digest import Digest
from tests.policy.door_cases import CASES, PENDING
from tests.policy.lab import TEAM, open_lab
from tests.policy.test_doors import hold_worker
from tests.registry.auth.people import enrol
from tests.servers import quiet, running

CASE = CASES[State.PENDING]
LAYER = Digest.of(PENDING.layers[-1])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Who may pull from a server that waits ten minutes for an inspection which does not end."""
    data, somebody = tmp_path_factory.mktemp("pending") / "data", draft("reader", Role.ACR_PULL)
    with open_lab(data) as lab:
        lab.run(CASE.push(lab))
        lab.results.settle()
        lab.run(forget_image(lab.storage, lab.metadata, lab.results, TEAM, CASE.digest))
    enrol(data, somebody)
    policy = {"wait_seconds": 600, "inspection": {"workers": 1, "wall_seconds": 3600}}
    app = build(Settings.model_validate(quiet(data, policy=policy)))
    assert isinstance(app.services.gate, PolicyGate)
    hold_worker(app.services.gate, data)
    with running(app) as live, closing(live.client(auth=("reader", somebody.secret()))) as client:
        yield client


def test_an_image_is_pending_at_once(reader: httpx.Client) -> None:
    """What it consists of is withheld until more is known."""
    shown = reader.get(f"/r/{TEAM}:{CASE.name}.json").json()
    assert (shown["verdict"], shown["layers"], "load this page again" in shown["withheld"]) == ("pending", [], True)
    assert reader.get(f"/r/{TEAM}@{CASE.digest}").status_code == 200


def test_what_refers_to_it_is_pending_at_once(reader: httpx.Client) -> None:
    """As it is withheld while its subject is, its page and its history do not wait either."""
    shown = reader.get(f"/r/{TEAM}:signature-{CASE.name}.json").json()
    assert ("load this page again" in shown["withheld"], shown["history"]) == (True, [])


@pytest.mark.parametrize("path", ["/index.json", f"/r/{TEAM}.json", "/search.json?where=verdict%3Dpending"])
def test_lists_do_not_wait(reader: httpx.Client, path: str) -> None:
    """It is among them, as far as it is known."""
    assert "pending" in reader.get(path).text


def test_a_layer_of_it_is_not_told_yet(reader: httpx.Client) -> None:
    """Nor is it waited for."""
    assert reader.get(f"/layers/{LAYER}.json").status_code == 404
    assert reader.get(f"/policy/v1/images?layer%3D{LAYER}").json()["images"] == []


def test_the_history_of_its_tag_does_not_wait(reader: httpx.Client) -> None:
    """It is there, without the image; at a time, there is nothing to tell."""
    past = f"/admin/v1/repositories/{TEAM}/_tags/{CASE.name}/_history"
    shown = reader.get(past)
    assert (shown.status_code, shown.json()) == (200, {"entries": [], "next": ""})
    assert reader.get(f"/v2/{TEAM}/_oci/tag-history/{CASE.name}").json()["manifests"] == []
    assert reader.get(past, params={"at": "2200-01-01T00:00Z"}).status_code == 404
