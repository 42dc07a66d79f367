"""Derived content: served where nothing is stored, listed among the referrers, merged with what is pushed."""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from registry.app import build
from registry.content.derived import DerivedBlob, DerivedManifest, NothingDerived
from registry.extension import Extension, compose
from registry.metadata.referrers import ReferrerRow
from registry.metadata.transactions import ChangeContext
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag
from tests.registry.open_services import descriptor, image
from tests.servers import joining, open_settings, running

KIND = "application/vnd.example.note"
NOTES = [f"note {number}".encode() for number in range(7)]
MANIFEST = {"Content-Type": media_types.OCI_MANIFEST}


class Notes(NothingDerived):
    """Seven notes on every manifest, and the tag `notes`, which everybody shares."""

    def __init__(self) -> None:
        self.subject = Digest.of(b"")

    def made(self) -> list[bytes]:
        """The manifests of the notes."""
        subject = {"mediaType": media_types.OCI_MANIFEST, "digest": self.subject, "size": 1}
        return [image((), artifactType=KIND, layers=[descriptor(note, KIND)], subject=subject) for note in NOTES]

    async def referrers(self, repository: RepositoryName, subject: Digest, artifact_type: str) -> Sequence[ReferrerRow]:  # noqa: ARG002
        """All, or none of another type."""
        if artifact_type not in {"", KIND}:
            return ()
        entries = [
            {"mediaType": media_types.OCI_MANIFEST, "digest": Digest.of(raw), "size": len(raw), "artifactType": KIND}
            for raw in self.made()
        ]
        return [ReferrerRow(Digest(str(entry["digest"])), json.dumps(entry)) for entry in entries]

    async def manifest(self, repository: RepositoryName, reference: Reference) -> DerivedManifest | None:  # noqa: ARG002
        """The first note is the tag as well."""
        named = {Digest.of(raw): raw for raw in self.made()}
        raw = self.made()[0] if reference == "notes" else named.get(Digest(reference))
        return None if raw is None else DerivedManifest(self.subject, Digest.of(raw), media_types.OCI_MANIFEST, raw)

    def shares(self, tag: Tag) -> bool:
        """The one."""
        return tag == "notes"

    async def merged(self, repository: RepositoryName, tag: Tag, stored: bytes) -> DerivedManifest | None:  # noqa: ARG002
        """With one annotation more."""
        raw = json.dumps({**json.loads(stored), "annotations": {"merged": "yes"}}).encode()
        return DerivedManifest(self.subject, Digest.of(raw), media_types.OCI_MANIFEST, raw)

    async def blob(self, repository: RepositoryName, digest: Digest) -> DerivedBlob | None:  # noqa: ARG002
        """A note."""
        note = next((note for note in NOTES if Digest.of(note) == digest), None)
        return None if note is None else DerivedBlob(self.subject, note)

    async def keep(self, at: ChangeContext, blobs: Collection[Digest]) -> bool:
        """All that are named."""
        return bool([digest for digest in blobs if await self.blob(at.repository, digest)])


@pytest.fixture
def notes() -> Notes:
    """What is derived."""
    return Notes()


@pytest.fixture
def client(tmp_path: Path, notes: Notes) -> Iterator[httpx.Client]:
    """A client of a server that derives notes; it holds one image, and one referrer that was pushed."""
    app = build(open_settings(tmp_path / "data"), extension=joining(derived=notes))
    with running(app) as live, live.client() as opened:
        for content in (b"{}", b"layer"):
            where = opened.post("/v2/team/app/blobs/uploads/").headers["location"]
            opened.put(where, params={"digest": Digest.of(content)}, content=content).raise_for_status()
        raw = image()
        notes.subject = Digest.of(raw)
        put(opened, "v1", raw)
        put(opened, "", image((), subject=descriptor(raw, media_types.OCI_MANIFEST)))
        yield opened


def put(client: httpx.Client, tag: str, raw: bytes) -> httpx.Response:
    """Push a manifest."""
    return client.put(f"/v2/team/app/manifests/{tag or Digest.of(raw)}", content=raw, headers=MANIFEST)


def listed(client: httpx.Client, notes: Notes, **parameters: str) -> list[list[str]]:
    """The digests of every page of the referrers."""
    path, pages = f"/v2/team/app/referrers/{notes.subject}", []
    answer = client.get(path, params=parameters)
    while True:
        pages.append([entry["digest"] for entry in answer.json()["manifests"]])
        if "next" not in answer.links:
            return pages
        answer = client.get(answer.links["next"]["url"])


@pytest.mark.parametrize("n", ["1", "2", "3", "8", "100"])
def test_pages_hold_each_once_and_in_order(client: httpx.Client, notes: Notes, n: str) -> None:
    """Derived ones lie among the stored one by their digests, whatever fits a page."""
    pages = listed(client, notes, n=n)
    together = [digest for page in pages for digest in page]
    stored = Digest.of(image((), subject=descriptor(image(), media_types.OCI_MANIFEST)))
    assert together == sorted([stored, *map(Digest.of, notes.made())])
    assert {len(page) for page in pages[:-1]} <= {int(n)}


def test_a_filter_counts_for_them_too(client: httpx.Client, notes: Notes) -> None:
    """By their type, and by another."""
    assert len(listed(client, notes, artifactType=KIND)[0]) == len(NOTES)
    assert listed(client, notes, artifactType="application/vnd.other") == [[]]


def test_manifests_and_blobs_are_served(client: httpx.Client, notes: Notes) -> None:
    """By digest and by tag, whole and in part; the tag is in no list."""
    raw = notes.made()[0]
    assert client.get(f"/v2/team/app/manifests/{Digest.of(raw)}").content == raw
    assert client.get("/v2/team/app/manifests/notes").content == raw
    part = client.get(f"/v2/team/app/blobs/{Digest.of(NOTES[0])}", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"note")
    assert client.get("/v2/team/app/tags/list").json()["tags"] == ["v1"]


def test_they_go_with_their_subject(client: httpx.Client, notes: Notes) -> None:
    """What is derived of a manifest that is gone is not served."""
    client.delete(f"/v2/team/app/manifests/{notes.subject}").raise_for_status()
    assert client.get("/v2/team/app/manifests/notes").status_code == 404
    assert len(listed(client, notes)[0]) == 1


def test_a_pushed_tag_wins_and_is_merged(client: httpx.Client) -> None:
    """By the tag it comes merged, by its own digest as it was pushed."""
    raw = image((), annotations={"pushed": "yes"})
    assert put(client, "notes", raw).status_code == 201
    assert client.get("/v2/team/app/manifests/notes").json()["annotations"] == {"merged": "yes"}
    assert client.get(f"/v2/team/app/manifests/{Digest.of(raw)}").content == raw
    assert client.get("/v2/team/app/tags/list").json()["tags"] == ["notes", "v1"]


def test_only_one_extension_derives() -> None:
    """Two would have to agree on every digest."""
    with pytest.raises(ValueError, match="2 extensions"):
        compose([lambda: Extension(derived=Notes()), lambda: Extension(derived=Notes())])


def test_a_manifest_that_names_what_is_not_kept_is_refused(client: httpx.Client, notes: Notes) -> None:
    """As one that names a blob which is nowhere: the answer names it."""
    answer = put(client, "", image((), layers=[descriptor(NOTES[0], KIND)]))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")
