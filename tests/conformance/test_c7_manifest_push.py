"""Clause c7, end-7: pushing manifests."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from registry.oci import media_types
from registry.oci.digest import Digest
from tests.repository import Repository, code_of

NOWHERE = "sha256:" + "0" * 64
ABSENT = {"mediaType": media_types.OCI_MANIFEST, "digest": NOWHERE, "size": 2}


def _put_tagged(repository: Repository, digest: str, raw: bytes, *tags: str) -> httpx.Response:
    headers = {"Content-Type": media_types.OCI_MANIFEST}
    return repository.client.put(
        repository.url(f"manifests/{digest}"), params=[("tag", tag) for tag in tags], content=raw, headers=headers
    )


def test_answer_to_a_push(repository: Repository) -> None:
    """201 with the digest and a location from which the same bytes come."""
    document = repository.image_document()
    answer = repository.put("v1", document)
    assert answer.status_code == 201
    assert answer.headers["docker-content-digest"] == Digest.of(json.dumps(document).encode())
    assert repository.client.get(answer.headers["location"]).json() == document


def test_digest_in_the_path_must_agree(repository: Repository) -> None:
    """400 DIGEST_INVALID, and nothing is stored."""
    answer = repository.put(NOWHERE, repository.image_document())
    assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")
    assert repository.head(f"manifests/{NOWHERE}").status_code == 404


def test_four_mebibytes_are_taken(repository: Repository) -> None:
    """A manifest just below the limit, sent without a length."""
    document = repository.image_document(annotations={"filling": "x" * (4 * 1024 * 1024 - 1000)})

    def pieces() -> Iterator[bytes]:
        raw = json.dumps(document).encode()
        yield from (raw[at : at + 65536] for at in range(0, len(raw), 65536))

    headers = {"Content-Type": media_types.OCI_MANIFEST}
    answer = repository.client.put(repository.url("manifests/large"), content=pieces(), headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("chunked", [True, False])
def test_more_is_refused(repository: Repository, *, chunked: bool) -> None:
    """413, declared or found out while reading; the connection stays in step."""
    raw = b" " * (4 * 1024 * 1024 + 1)
    content = iter([raw]) if chunked else raw
    headers = {"Content-Type": media_types.OCI_MANIFEST}
    answer = repository.client.put(repository.url("manifests/large"), content=content, headers=headers)
    assert (answer.status_code, code_of(answer)) == (413, "SIZE_INVALID")
    assert repository.client.get("/v2/").status_code == 200


def test_missing_layer_is_refused(repository: Repository) -> None:
    """MANIFEST_BLOB_UNKNOWN, naming the digest; the tag is not set."""
    answer = repository.put("v1", {**repository.image_document(), "layers": [ABSENT]})
    assert (answer.status_code, code_of(answer)) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert NOWHERE in answer.text
    assert repository.get("manifests/v1").status_code == 404


def test_missing_child_is_refused(repository: Repository) -> None:
    """MANIFEST_BLOB_UNKNOWN for an index as well."""
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [ABSENT]}
    assert code_of(repository.put("v1", document, media_types.OCI_INDEX)) == "MANIFEST_BLOB_UNKNOWN"


def test_missing_subject_is_accepted(repository: Repository) -> None:
    """201, and OCI-Subject says that it was seen; on images and on indexes."""
    for document, kind in (
        (repository.image_document(subject=ABSENT), media_types.OCI_MANIFEST),
        ({"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [], "subject": ABSENT},
         media_types.OCI_INDEX),
    ):  # fmt: skip
        answer = repository.put("v1", document, kind)
        assert (answer.status_code, answer.headers["oci-subject"]) == (201, NOWHERE)


def test_without_subject_no_header(repository: Repository) -> None:
    """OCI-Subject is sent only when there is one."""
    assert "oci-subject" not in repository.put("v1", repository.image_document()).headers


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ],
)
def test_foreign_layers_need_not_be_here(repository: Repository, media_type: str) -> None:
    """Layers that live elsewhere are not asked for."""
    layer = {**ABSENT, "mediaType": media_type, "urls": ["https://elsewhere.example/layer"]}
    assert repository.put("v1", {**repository.image_document(), "layers": [layer]}).status_code == 201


@pytest.mark.parametrize(
    "members",
    [
        {"layers": []},
        {"mediaType": None},
        {"artifactType": "application/x.example"},
        {"future": {"any": ["thing", 1, None]}},
        {"annotations": {"a": "b"}},
    ],
)
def test_unusual_images_are_taken(repository: Repository, members: dict[str, Any]) -> None:
    """No layers, no mediaType, unknown members: stored as they are."""
    document = {key: value for key, value in {**repository.image_document(), **members}.items() if value is not None}
    answer = repository.put("v1", document)
    assert answer.status_code == 201, answer.text
    assert repository.get("manifests/v1").headers["content-type"] == media_types.OCI_MANIFEST


def test_indexes_in_indexes(repository: Repository) -> None:
    """An empty index, and one that holds it beside an image."""
    nested = repository.index("outer", repository.index("inner"), repository.image("image"))
    assert repository.get("manifests/outer").content == nested.raw


def test_content_type_parameters_are_ignored(repository: Repository) -> None:
    """They neither break the push nor come back."""
    answer = repository.put("v1", repository.image_document(), f"{media_types.OCI_MANIFEST}; charset=utf-8")
    assert answer.status_code == 201
    assert repository.get("manifests/v1").headers["content-type"] == media_types.OCI_MANIFEST


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 3, "layers": []}',
        b"[" * 100_000,
        b'{"schemaVersion": 2, "SchemaVersion": 2}',
        b'{"schemaVersion": 2, "config": {"size": 1e999}}',
        b'{"schemaVersion": 2, "config": {"size": ' + b"9" * 10_000 + b"}}",
        b'{"schemaVersion": 2, "config": {}, "layers": 7}',
    ],
)
def test_what_is_no_manifest_is_refused(repository: Repository, raw: bytes) -> None:
    """400 MANIFEST_INVALID: no JSON, wrong shape, deep nesting, keys that differ in case only, huge numbers."""
    answer = repository.put("v1", raw)
    assert (answer.status_code, code_of(answer)) == (400, "MANIFEST_INVALID")


def test_schema_1_is_refused(repository: Repository) -> None:
    """400 MANIFEST_INVALID that names the media type."""
    answer = repository.put("v1", {"schemaVersion": 1, "name": "x"}, media_types.DOCKER_SCHEMA1_SIGNED)
    assert (answer.status_code, code_of(answer)) == (400, "MANIFEST_INVALID")
    assert "unsupported manifest media type" in answer.text


def test_types_that_disagree_are_refused(repository: Repository) -> None:
    """mediaType and Content-Type must say the same."""
    answer = repository.put("v1", repository.image_document(), media_types.DOCKER_MANIFEST)
    assert code_of(answer) == "MANIFEST_INVALID"


def test_docker_manifests_are_kept_as_they_are(repository: Repository) -> None:
    """Schema 2 and manifest lists come back with their own types."""
    config, layer = repository.blob(b"{}"), repository.blob(b"layer")
    image = {"schemaVersion": 2, "mediaType": media_types.DOCKER_MANIFEST, "layers": [layer.descriptor]}
    pushed = repository.put("image", {**image, "config": config.descriptor}, media_types.DOCKER_MANIFEST)
    child = {**ABSENT, "mediaType": media_types.DOCKER_MANIFEST, "digest": pushed.headers["docker-content-digest"]}
    listing = {"schemaVersion": 2, "mediaType": media_types.DOCKER_LIST, "manifests": [child]}
    repository.put("list", listing, media_types.DOCKER_LIST)
    answer = repository.get("manifests/list")
    assert (answer.headers["content-type"], answer.json()) == (media_types.DOCKER_LIST, listing)


def test_several_tags_in_one_push(repository: Repository) -> None:
    """`?tag=` with a digest sets each of them, and OCI-Tag lists them; ten and more."""
    raw = json.dumps(repository.image_document()).encode()
    tags = [f"t{number:02}" for number in range(12)]
    answer = _put_tagged(repository, Digest.of(raw), raw, *tags)
    assert (answer.status_code, answer.headers["oci-tag"]) == (201, ", ".join(tags))
    assert repository.get("tags/list").json()["tags"] == tags


def test_one_bad_tag_spoils_the_push(repository: Repository) -> None:
    """400, and neither the others nor the manifest are there."""
    raw = json.dumps(repository.image_document()).encode()
    answer = _put_tagged(repository, Digest.of(raw), raw, "good", ".bad")
    assert answer.status_code == 400
    assert repository.get("manifests/good").status_code == 404
    assert repository.get(f"manifests/{Digest.of(raw)}").status_code == 404


def test_too_many_tags(repository: Repository) -> None:
    """414 above the limit of the settings."""
    raw = json.dumps(repository.image_document()).encode()
    answer = _put_tagged(repository, Digest.of(raw), raw, *(f"t{number}" for number in range(51)))
    assert (answer.status_code, code_of(answer)) == (414, "UNSUPPORTED")


def test_tags_on_a_push_by_tag(repository: Repository) -> None:
    """400: the specification knows `tag=` with a digest only; nothing is set."""
    raw = json.dumps(repository.image_document()).encode()
    assert _put_tagged(repository, "v1", raw, "v2").status_code == 400
    assert [repository.get(f"manifests/{tag}").status_code for tag in ("v1", "v2")] == [404, 404]


def test_tag_moves(repository: Repository) -> None:
    """Pushing another manifest under a tag moves it; the old one stays by digest."""
    old = repository.image("v1")
    new = repository.image("v1", repository.blob(b"more"))
    assert repository.get("manifests/v1").content == new.raw
    assert repository.get(f"manifests/{old.digest}").content == old.raw


def test_sha512_manifest_and_index_of_it(repository: Repository) -> None:
    """Content may be named by sha512 throughout."""
    raw = json.dumps(repository.image_document(repository.blob(b"strong", algorithm="sha512"))).encode()
    digest = Digest.of(raw, "sha512")
    assert repository.put(digest, raw).headers["docker-content-digest"] == digest
    child = {"mediaType": media_types.OCI_MANIFEST, "digest": digest, "size": len(raw)}
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": [child]}
    assert repository.put("index", index, media_types.OCI_INDEX).status_code == 201
    assert repository.get(f"manifests/{digest}").content == raw
