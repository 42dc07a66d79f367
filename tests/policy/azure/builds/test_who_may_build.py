"""Who may have what built, and who sees it; contexts in pieces; and a registry that does not build."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.auth.enrolment import draft, record
from tests.policy.azure.builds.sending import FROM_NOTHING, Sender, context_of, sender
from tests.policy.azure.endpoint import REGISTRY, LiveEndpoint, code_of, live_endpoint

pytestmark = [pytest.mark.root, pytest.mark.client("buildah", "busybox"), pytest.mark.xdist_group("builds")]


@contextmanager
def of_a_team(building: LiveEndpoint, name: str, role: Role) -> Iterator[Sender]:
    """Who has a role below `team/` alone."""
    made = draft(name, role, ["team/*"])
    asyncio.run(building.gateway.registry.app.services.stores.metadata.write(record, made))
    building.gateway.secrets[name] = made.secret()
    found = sender(building, name)
    with found.client:
        yield found


@pytest.fixture(scope="module")
def pusher(building: LiveEndpoint) -> Iterator[Sender]:
    """Who may push below `team/`."""
    with of_a_team(building, "team-pusher", Role.ACR_PUSH) as found:
        yield found


@pytest.fixture(scope="module")
def team_owner(building: LiveEndpoint) -> Iterator[Sender]:
    """An owner of what is below `team/`."""
    with of_a_team(building, "team-owner", Role.OWNER) as found:
        yield found


def test_who_may_push_may_build(pusher: Sender) -> None:
    """Its own repositories."""
    assert pusher.build(FROM_NOTHING, "team/mine:v1").complete == "successful"


@pytest.mark.parametrize("images", [("other/app:v1",), ("team/app:v1", "other/app:v1")])
def test_nobody_builds_what_it_may_not_push(pusher: Sender, images: tuple[str, ...]) -> None:
    """One name that is not its own is enough."""
    assert code_of(pusher.ask(context_of(FROM_NOTHING), *images)) == (403, "AuthorizationFailed")


def test_a_reader_builds_nothing(building: LiveEndpoint) -> None:
    """It is told before it sends anything."""
    with building.signed_in("reader") as client:
        assert code_of(client.post(f"{REGISTRY}/listBuildSourceUploadUrl")) == (403, "AuthorizationFailed")


def test_runs_are_shown_to_their_owner(owner: Sender, pusher: Sender) -> None:
    """And to an owner of the registry: to nobody else, nor their logs."""
    run = owner.build(FROM_NOTHING).run
    for path in (f"runs/{run}", f"runs/{run}/cancel", f"runs/{run}/listLogSasUrl"):
        method = "GET" if path.count("/") == 1 else "POST"
        assert code_of(pusher.client.request(method, f"{REGISTRY}/{path}")) == (404, "RunNotFound")
    shown = {each["name"] for each in pusher.client.get(f"{REGISTRY}/runs").json()["value"]}
    assert run not in shown


def test_an_owner_of_some_repositories_sees_no_other_runs(owner: Sender, team_owner: Sender) -> None:
    """What builds print may be secret."""
    run = owner.build(FROM_NOTHING).run
    assert code_of(team_owner.client.get(f"{REGISTRY}/runs/{run}")) == (404, "RunNotFound")


def test_a_context_is_its_senders(owner: Sender, pusher: Sender) -> None:
    """Another principal has nothing built of it."""
    body = {"type": "DockerBuildRequest", "sourceLocation": owner.send(context_of(FROM_NOTHING))}
    assert code_of(pusher.client.post(f"{REGISTRY}/scheduleRun", json=body)) == (400, "InvalidSourceLocation")


def test_a_context_that_is_too_large(owner: Sender) -> None:
    """413, and its address is good for nothing more."""
    place = owner.client.post(f"{REGISTRY}/listBuildSourceUploadUrl").json()
    assert code_of(owner.client.put(place["uploadUrl"], content=b"x" * (9 << 20))) == (413, "RequestEntityTooLarge")
    assert code_of(owner.client.put(place["uploadUrl"], content=b"x")) == (403, "AuthenticationFailed")


def test_a_context_in_pieces(owner: Sender) -> None:
    """As the SDK sends what is larger than 64 MiB."""
    context, place = context_of(FROM_NOTHING), owner.client.post(f"{REGISTRY}/listBuildSourceUploadUrl").json()
    half = len(context) // 2
    for block, piece in (("AAAA", context[:half]), ("AAAB", context[half:])):
        url = f"{place['uploadUrl']}&comp=block&blockid={block}"
        assert owner.client.put(url, content=piece).status_code == 201
    listed = b"<BlockList><Latest>AAAA</Latest><Latest>AAAB</Latest></BlockList>"
    assert owner.client.put(f"{place['uploadUrl']}&comp=blocklist", content=listed).status_code == 201
    body = {"type": "DockerBuildRequest", "sourceLocation": place["relativePath"]}
    asked = owner.client.post(f"{REGISTRY}/scheduleRun", json=body).raise_for_status()
    assert owner.finish(asked.json()["properties"]["runId"]).complete == "successful"


def test_pieces_in_another_order_are_refused(owner: Sender) -> None:
    """They were put one behind the other as they came."""
    place = owner.client.post(f"{REGISTRY}/listBuildSourceUploadUrl").json()
    owner.client.put(f"{place['uploadUrl']}&comp=block&blockid=AAAA", content=b"x")
    answer = owner.client.put(f"{place['uploadUrl']}&comp=blocklist", content=b"<Latest>AAAB</Latest>")
    assert code_of(answer) == (400, "InvalidBlockList")


def test_a_range_of_a_log(owner: Sender) -> None:
    """As az reads it: 206 with the whole length, 416 behind the end."""
    run = owner.build(FROM_NOTHING).run
    link = owner.client.post(f"{REGISTRY}/runs/{run}/listLogSasUrl").json()["logLink"]
    some = owner.client.get(link, headers={"x-ms-range": "bytes=0-9"})
    assert (some.status_code, len(some.content)) == (206, 10)
    assert some.headers["content-range"].startswith("bytes 0-9/")
    assert code_of(owner.client.get(link, headers={"x-ms-range": "bytes=999999-"})) == (416, "InvalidRange")
    assert code_of(owner.client.get(link, headers={"x-ms-range": "bytes=x"})) == (400, "InvalidHeaderValue")


@pytest.mark.parametrize(
    ("path", "body"), [("listBuildSourceUploadUrl", None), ("scheduleRun", {"type": "DockerBuildRequest"})]
)
def test_without_a_builder_everything_is_refused_at_once(
    tmp_path: Path, path: str, body: dict[str, str] | None
) -> None:
    """With a sentence that az shows."""
    with live_endpoint(tmp_path / "data") as endpoint, endpoint.signed_in() as client:
        assert code_of(client.post(f"{REGISTRY}/{path}", json=body)) == (403, "BuildsDisabled")
