"""The door matrix: every way in which content leaves x every state x every role x every mode, over real HTTP.

A route that a table gains fails `test_every_route_has_a_cell` until it has a column in `door_probes`, or is named among
those that hand out nothing; a door or a state that the decision gains fails until it has one as well.
"""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import httpx
import pytest

from policy.app import build
from policy.assessment.reinspect import forget_image
from policy.decision import AccessPoint
from policy.definition.policy import DEFAULT, known_policies
from policy.enforcement.gate import PolicyGate
from policy.enforcement.reload import PolicyReload
from policy.settings import Settings
from policy.state import State
from registry.auth.actions import Role
from registry.auth.enrolment import draft, record
from registry.oci.digest import Digest
from registry.storage.disk.layout import Layout
from registry.storage.disk.quarantine import DiskQuarantine
from registry.storage.disk.reading import open_file
from tests.policy.door_cases import CASES, PENDING, YOUNG, Case, Special
from tests.policy.door_probes import COLUMNS, expected
from tests.policy.every_row import every_row
from tests.policy.lab import TEAM, open_lab
from tests.servers import running

MODES = ("enforce", "reject", "warn", "audit")
ROLES = {
    "owner": Role.OWNER,
    "pusher": Role.ACR_PUSH,
    "reader": Role.ACR_PULL,
    "deleter": Role.ACR_DELETE,
    "scanner": Role.ACR_QUARANTINE_READER,
}
POLICY = known_policies()[DEFAULT]
# What a manifest says of an image, or that it exists, is not its content; pushes have their own tests.
HAND_OUT_NOTHING = {
    "extensions.list",
    *("root.check", "catalog.page", "tags.page", "routes.explain", "tokens.grant", "tokens.redeem", "tokens.exchange"),
    *("manifests.push", "manifests.delete", "blobs.delete", "health.alive", "health.ready", "health.metrics"),
    *("description.show", "description.page"),
    *("deployments.list", "deployments.show", "deployments.release", "keys.list"),
    # The gateway says what it says of an image to whoever may pull in its repository, signed or not.
    "attestations.list",
    *("workspaces.list", "workspaces.show", "workspaces.create"),
    *("uploads.status", "uploads.append", "uploads.finish", "uploads.cancel", "acr.absent", "acr.untag"),
    *("acr.list_repositories", "acr.show_repository", "acr.change_repository", "acr.delete_repository"),
    *(
        "web.catalog",
        "web.ask",
        "web.sign_in",
        "web.sign_out",
        "web.style",
        "web.script",
        "web.live_script",
        "web.activity",
        "web.policies",
    ),
    *("web.exemptions", "web.exempt", "web.revoke", "web.principals", "web.garbage", "web.ask_to_delete", "web.delete"),
    *("web.ask_to_roll_back", "web.roll_back", "web.ask_to_rotate", "web.rotate"),
    *("admin.list_repositories", "admin.show_repository", "admin.delete_repository", "admin.list_tags"),
    *("admin.show_tag", "admin.lock_tag", "admin.delete_tag", "admin.list_manifests", "admin.delete_manifest"),
    *("admin.list_principals", "admin.show_principal", "admin.create_principal", "admin.rotate_principal"),
    *("admin.enable_principal", "admin.delete_principal", "admin.plan_collection", "admin.run_collection"),
    *("admin.list_policies", "admin.show_policy", "admin.replay_policy", "admin.activate_policy"),
    *("admin.deactivate_policy", "admin.list_exemptions", "admin.make_exemption", "admin.end_exemption"),
    *("admin.undo_collection", "admin.explain_content", "admin.show_run"),
    *("admin.list_trash", "admin.restore_run", "admin.empty_trash"),
    *("admin.plan_retention", "admin.run_retention", "admin.explain_retention"),
    *("admin.list_sinks", "admin.replay_sink", "admin.test_sink"),
    *("acr.list_deleted_repositories", "acr.list_deleted_manifests", "acr.list_deleted_tags", "acr.restore_manifest"),
}
# Content comes in by it.
NO_WAY_OUT = {AccessPoint.PUSH}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data folder with one manifest in each state, and the secrets of one principal for each role."""

    data: Path
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Served:
    """A server over it, between two policies: `turn` puts the one that has been evaluated into force."""

    url: str
    turn: Callable[[], object]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Pushed under the default mode; one of them is forgotten again, and of one a file is taken away."""
    data = tmp_path_factory.mktemp("doors") / "data"
    secrets = {}
    with open_lab(data) as lab:
        for case in CASES.values():
            lab.run(case.push(lab))
        lab.results.settle()
        lab.run(forget_image(lab.storage, lab.metadata, lab.results, TEAM, CASES[State.PENDING].digest))
        for name, role in ROLES.items():
            made_principal = draft(name, role)
            lab.run(lab.metadata.write(record, made_principal))
            secrets[name] = made_principal.secret()
    gone = Digest.of(CASES[Special.MISSING].blob)
    Layout(data).blob(gone).unlink()
    DiskQuarantine(Layout(data)).note_missing(gone)  # as whoever meets it first does
    return Prepared(data, secrets)


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Each mode."""
    return str(request.param)


@pytest.fixture(scope="module")
def served(prepared: Prepared, mode: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in that mode, whose inspection worker stands still, so that what is pending stays so."""
    data = tmp_path_factory.mktemp(mode) / "data"
    shutil.copytree(prepared.data, data)
    app = build(settings(data, mode, DEFAULT))
    gate = app.services.gate
    assert isinstance(gate, PolicyGate)
    hold_worker(gate, data)
    turn = asyncio.run(PolicyReload(gate).prepare(settings(data, mode, YOUNG).policy))
    assert turn is not None
    with running(app) as live:
        yield Served(live.url, turn)


def settings(data: Path, mode: str, policy: str) -> Settings:
    """A server's, under a mode and a policy."""
    inspection = {"workers": 1, "wall_seconds": 3600}
    return Settings.model_validate(
        {
            "data": data,
            "listen": "127.0.0.1:0",
            "log": {"level": "error", "access": False},
            "operations": {"watch": False},
            "policy": {"name": policy, "mode": mode, "wait_seconds": 0, "inspection": inspection},
        }
    )


def hold_worker(gate: PolicyGate, data: Path) -> None:
    """Start the only worker, let it do one layer, stop its process, and leave another layer to it."""
    workers, first, last = gate.inspector.workers, *(Digest.of(content) for content in PENDING.layers)
    workers.inspect(first, partial(open_file, Layout(data).blob(first))).future.result()
    os.kill(workers.pids[0], signal.SIGSTOP)
    while "T (stopped)" not in Path(f"/proc/{workers.pids[0]}/status").read_text():
        time.sleep(0.01)
    workers.inspect(last, partial(open_file, Layout(data).blob(last)))


def wrong_cells(client: httpx.Client, cases: Mapping[str, Case], role: str, mode: str) -> list[tuple[str, str, str]]:
    """The cells of one role that are not as the design says."""
    cells = product(COLUMNS.items(), cases.values())
    return [
        (name, case.name, role)
        for (name, column), case in cells
        if column.probe(client, case) is not expected(name, case, role, mode)
    ]


@pytest.mark.parametrize("role", ROLES)
def test_every_cell(prepared: Prepared, served: Served, mode: str, role: str) -> None:
    """Every door is as open as the design says, for every state and role, and says the same when asked again."""
    with httpx.Client(base_url=served.url, auth=(role, prepared.secrets[role]), timeout=30) as client:
        assert [wrong_cells(client, CASES, role, mode) for _ in range(2)] == [[], []]


def test_anonymous_callers_get_nothing(served: Served) -> None:
    """Without credentials no door opens in any mode."""
    with httpx.Client(base_url=served.url, timeout=30) as client:
        assert not any(column.probe(client, case) for column, case in product(COLUMNS.values(), CASES.values()))


def test_all_doors_turn_at_once(prepared: Prepared, served: Served, mode: str) -> None:
    """What the old policy refuses and the new one clears is withheld up to the turn, and open from it on."""
    case = CASES[Special.SWITCHING]
    with httpx.Client(base_url=served.url, auth=("reader", prepared.secrets["reader"]), timeout=30) as client:
        assert wrong_cells(client, {case.name: case}, "reader", mode) == []
        served.turn()
        found = {name for name, column in COLUMNS.items() if column.probe(client, case)}
    assert found == COLUMNS.keys() - {"mount", "attributes PATCH", "events of blobs", "rollback"}


def test_every_route_has_a_cell() -> None:
    """A new route, or a new method of one, is either probed in the matrix or known to hand out nothing."""
    known = {(method, row.operation) for row in every_row() for method in row.methods.split()}
    assert {operation for _, operation in known} >= HAND_OUT_NOTHING
    probed = {route for column in COLUMNS.values() for route in column.routes}
    assert {route for route in known if route[1] not in HAND_OUT_NOTHING} == probed


def test_every_door_has_a_cell() -> None:
    """A door that the decision gains needs a column."""
    assert {column.door for column in COLUMNS.values()} - {None} == set(AccessPoint) - NO_WAY_OUT


def test_every_state_has_a_cell() -> None:
    """Those of verdicts, and those that only the matrix has names for."""
    assert CASES.keys() == {*State, *Special}


def test_the_images_are_in_the_states_they_are_named_after(prepared: Prepared) -> None:
    """The matrix means what it says."""
    with open_lab(prepared.data) as lab:
        judge, others = lab.gate.judge, [case for case in CASES.values() if case.stands is not State.PENDING]
        assert judge.known_state(CASES[State.PENDING].digest, POLICY) is None
        found = {case.name: lab.run(judge.state(TEAM, case.digest, POLICY, 30)) for case in others}
        young = lab.run(judge.state(TEAM, CASES[Special.SWITCHING].digest, known_policies()[YOUNG], 30))
    assert found == {case.name: case.stands for case in others}
    assert young is State.CLEARED
