"""Signed verdicts go with their images: clients that copy referrers take them along, and they verify elsewhere."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from policy.attestation.verification import Expected, verified
from policy.signing.dsse import read_envelope
from policy.signing.public_keys import read_public_keys
from registry.oci.digest import Digest
from tests.clients.client import Endpoint, OwnHome
from tests.clients.conftest import Connect
from tests.clients.crane import Crane
from tests.clients.oras import Oras
from tests.clients.regctl import Regctl
from tests.clients.roster import ROSTER
from tests.clients.trees import cleared_image
from tests.policy.attestation.published import REPOSITORY, referrers, tag_of
from tests.policy.attestation.test_merged_verdicts import attested_by_others
from tests.policy.live import LiveGateway, live_gateway
from tests.servers import LiveRegistry, open_registry

NAMED = {entry.name: entry for entry in ROSTER}
Copy = Callable[[OwnHome, str, str], object]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """The registry that judges."""
    with live_gateway(tmp_path / "data", auth={"required": False}) as gateway:
        yield gateway


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[LiveRegistry]:
    """A registry that knows nothing of policies."""
    with open_registry(tmp_path / "elsewhere") as registry:
        yield registry


def by_oras(client: OwnHome, source: str, target: str) -> object:
    """With everything that refers to it."""
    flags = ("--recursive", "--no-tty", "--from-plain-http", "--to-plain-http")
    return client.program.run("cp", *flags, source, target).check()


def by_regctl(client: OwnHome, source: str, target: str) -> object:
    """With everything that refers to it."""
    for reference in (source, target):
        client.program.run("registry", "set", "--skip-check", "--tls", "disabled", reference.partition("/")[0]).check()
    return client.program.run("image", "copy", "--referrers", source, target).check()


@pytest.mark.parametrize(
    ("name", "copy"),
    [
        pytest.param(Oras.name, by_oras, marks=pytest.mark.client("oras")),
        pytest.param(Regctl.name, by_regctl, marks=pytest.mark.client("regctl")),
    ],
)
@pytest.mark.parametrize("platforms", [1, 2])
def test_a_copy_keeps_it(  # noqa: PLR0917
    live: LiveGateway, elsewhere: LiveRegistry, connect: Connect, tmp_path: Path, name: str, copy: Copy, platforms: int
) -> None:
    """Of an image, and of an index; it verifies with the key of the registry that judged."""
    images = [cleared_image(str(number), kind) for number, kind in enumerate(("amd64", "arm64")[:platforms])]
    digest = live.push(tmp_path / "image", "team/app:v1", *images)
    client = connect(NAMED[name], Endpoint(live.host, None))
    assert isinstance(client, OwnHome)
    copy(client, f"{live.host}/team/app:v1", f"{elsewhere.host}/team/app:v1")
    with elsewhere.client() as there, live.registry.client() as here:
        (entry,) = referrers(there, digest)
        manifest = there.get(f"/v2/team/app/manifests/{entry['digest']}").json()
        raw = there.get(f"/v2/team/app/blobs/{manifest['layers'][0]['digest']}").content
        keys = read_public_keys(here.get("/policy/v1/keys").content)
    assert verified(read_envelope(raw), Expected(keys, Digest(digest), f"oci:team/app@{digest}"))
    assert json.loads(raw)["mediaType"] == entry["artifactType"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(each.name, marks=pytest.mark.client(each.name)) for each in (Crane, Oras)],
)
def test_a_list_of_tags_has_what_was_pushed(live: LiveGateway, connect: Connect, tmp_path: Path, name: str) -> None:
    """The tag of the verdict is not among them, until somebody else attests under it."""
    digest = live.push(tmp_path / "image", f"{REPOSITORY}:v1", cleared_image())
    client = connect(NAMED[name], Endpoint(live.host, None))
    assert isinstance(client, Crane | Oras)
    before = client.tags(f"{live.host}/{REPOSITORY}").check().output
    with live.registry.client() as others:
        attested_by_others(others, digest)
    after = client.tags(f"{live.host}/{REPOSITORY}").check().output
    assert [("v1" in listed, tag_of(digest) in listed) for listed in (before, after)] == [(True, False), (True, True)]
