"""Settings that show in answers: proxies, immutable tags, quotas, limits, warnings."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.app import build
from registry.gate import Decision, OpenGate
from tests.repository import Repository, code_of
from tests.servers import joining, open_settings, running

Open = Callable[..., httpx.Client]


class _WarningGate(OpenGate):
    """Everything is allowed, with a word of warning."""

    async def before_push(self, *_arguments: Any, **_more: Any) -> Decision:
        """Warn."""
        return Decision(allowed=True, warnings=['soon "refused"', "x" * 5000])

    async def before_manifest_pull(self, *_arguments: Any, **_more: Any) -> Decision:
        """Warn."""
        return Decision(allowed=True, warnings=["old"])


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Start a registry with some settings; a client of it."""
    with ExitStack() as stack:

        def start(**groups: Any) -> httpx.Client:
            app = build(open_settings(tmp_path / "data", **groups), extension=joining(gate=_WarningGate()))
            return stack.enter_context(stack.enter_context(running(app)).client())

        yield start


@pytest.mark.parametrize(("trusted", "realm"), [(["127.0.0.1"], "https://hub.example/"), ([], "http://127.0.0.1:")])
def test_realm_is_where_the_client_is(opened: Open, trusted: list[str], realm: str) -> None:
    """Behind a trusted proxy the challenge names the outer address; nobody else can change it."""
    client = opened(auth={"required": True}, server={"trusted_proxies": trusted})
    answer = client.get("/v2/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example"})
    assert answer.headers["www-authenticate"].startswith(f'Bearer realm="{realm}')


def test_public_url(opened: Open) -> None:
    """A configured address wins over everything that a request says."""
    client = opened(auth={"required": True}, server={"public_url": "https://registry.lab"})
    assert 'realm="https://registry.lab/oauth2/token"' in client.get("/v2/").headers["www-authenticate"]


def test_immutable_tag(opened: Open) -> None:
    """403 DENIED naming the tag; pushing the same manifest again is fine, other tags move."""
    repository = Repository(opened(immutable_tags=[{"repositories": "team/*", "tags": "v*"}]), "team/app")
    first = repository.image("v1")
    answer = repository.put("v1", repository.image_document(repository.blob(b"other")))
    assert (answer.status_code, code_of(answer)) == (403, "DENIED")
    assert "team/app:v1" in answer.text
    assert repository.put("v1", first.raw).status_code == 201
    assert repository.put("latest", first.raw).status_code == 201


def test_quota(opened: Open) -> None:
    """413 DENIED with numbers; other repositories are not affected."""
    repository = Repository(opened(quotas=[{"repositories": "small/*", "bytes": 10}]), "small/app")
    repository.blob(b"12345")
    location = repository.open_upload()
    answer = repository.client.put(location, params={"digest": "sha256:" + "0" * 64}, content=b"1234567")
    assert (answer.status_code, code_of(answer)) == (413, "DENIED")
    assert answer.json()["errors"][0]["detail"] == {"bytes": 12, "quota": 10}
    assert Repository(repository.client, "large/app").blob(b"1" * 100).digest


def test_chunk_minimum_is_told(opened: Open) -> None:
    """OCI-Chunk-Min-Length, when there is one."""
    client = opened(uploads={"chunk_minimum_bytes": 1000})
    assert client.post("/v2/a/blobs/uploads/").headers["oci-chunk-min-length"] == "1000"


def test_sparse_index(opened: Open) -> None:
    """Where so set, an index may name manifests that are not here."""
    repository = Repository(opened(manifests={"sparse_indexes": True}), "a")
    child = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + "0" * 64, "size": 5}
    assert repository.index("v1", manifests=[child]).digest


def test_warnings_of_the_gate(opened: Open) -> None:
    """On pushes and pulls, quoted, as many as fit."""
    repository = Repository(opened(), "a")
    answer = repository.put("v1", repository.image_document())
    assert answer.headers.get_list("warning") == ['299 - "soon \\"refused\\""']
    assert repository.get("manifests/v1").headers["warning"] == '299 - "old"'
    assert repository.head("manifests/v1").headers["warning"] == '299 - "old"'
