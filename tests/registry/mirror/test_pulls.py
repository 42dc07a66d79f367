"""Pulls through a registry with an upstream: what comes, once, and only what was asked for."""

import asyncio
import os

import httpx

from registry.oci import media_types
from registry.oci.digest import Digest
from tests.registry.mirror.site import NAME, Site, code
from tests.repository import Pushed


def test_an_image_comes(shared: Site) -> None:
    """Manifest and blobs of an image nobody has pushed here are the upstream's, byte for byte."""
    image, layer = shared.push()
    answer = shared.here.get("manifests/v1")
    assert (answer.status_code, answer.content) == (200, image.raw)
    assert answer.headers["content-type"] == media_types.OCI_MANIFEST
    assert shared.here.get(f"blobs/{layer.digest}").content == layer.raw
    assert shared.here.get("tags/list").json()["tags"] == ["v1"]


def test_an_image_by_its_digest(shared: Site) -> None:
    """A digest comes as well, and the upstream is never asked for it again."""
    image, _ = shared.push("by-digest")
    for _ in range(3):
        assert shared.here.get(f"manifests/{image.digest}").content == image.raw
    assert shared.upstream.asked("GET", f"/manifests/{image.digest}") == 1


def test_head_is_enough(shared: Site) -> None:
    """The HEAD that clients begin with has the image fetched."""
    image, layer = shared.push("by-head")
    assert shared.here.head("manifests/by-head").headers["docker-content-digest"] == image.digest
    assert shared.here.head(f"blobs/{layer.digest}").status_code == 200


def test_what_the_upstream_does_not_have(shared: Site) -> None:
    """It is not here either: 404, in the form of the specification."""
    shared.push()
    for rest in ("manifests/none", f"manifests/{Digest.of(b'none')}"):
        answer = shared.here.get(rest)
        assert (answer.status_code, code(answer)) == (404, "MANIFEST_UNKNOWN")
    nowhere = shared.here.client.get("/v2/up/no/such/manifests/v1")
    assert nowhere.status_code == 404


def test_a_blob_alone_is_not_fetched(shared: Site) -> None:
    """What no manifest here names is not asked for: whose it is could not be judged."""
    _, layer = shared.push("later")
    assert shared.here.get(f"blobs/{layer.digest}").status_code == 404
    assert shared.fetched(layer.digest) == 0


def test_other_repositories_have_no_upstream(shared: Site) -> None:
    """Nothing is asked for a repository outside the prefix."""
    before = shared.line.connections
    assert shared.here.client.get("/v2/team/app/manifests/v1").status_code == 404
    assert shared.here.client.get("/v2/upper/app/manifests/v1").status_code == 404
    assert shared.line.connections == before


async def pull_whole(client: httpx.AsyncClient, reference: str, layers: list[Digest]) -> list[int]:
    """The status of each answer that one client gets for an image."""
    paths = [f"/v2/{NAME}/manifests/{reference}", *(f"/v2/{NAME}/blobs/{layer}" for layer in layers)]
    return [(await client.get(path)).status_code for path in paths]


def test_fifty_clients_on_a_cold_image(shared: Site) -> None:
    """All are served, and the upstream has given its manifest, and each blob, once."""
    layers = [shared.there.blob(os.urandom(500_000)) for _ in range(4)]
    image = shared.there.image("busy", *layers)
    digests = [layer.digest for layer in layers]

    async def everybody() -> list[list[int]]:
        async with httpx.AsyncClient(base_url=shared.live.url, timeout=60) as client:
            return await asyncio.gather(*(pull_whole(client, "busy", digests) for _ in range(50)))

    assert asyncio.run(everybody()) == [[200] * 5] * 50
    assert [shared.fetched(digest) for digest in digests] == [1] * 4
    assert shared.upstream.asked("GET", "/manifests/busy") == 1
    assert image.digest


def index_of(shared: Site, tag: str) -> dict[str, tuple[Pushed, Pushed]]:
    """An index of three platforms in the upstream: of each its image and layer."""
    made = {}
    for name in ("linux/amd64", "linux/arm64", "linux/s390x"):
        layer = shared.there.blob(os.urandom(1000))
        made[name] = shared.there.image("", layer), layer
    entries = [
        image.descriptor | {"platform": dict(zip(("os", "architecture"), name.split("/"), strict=True))}
        for name, (image, _) in made.items()
    ]
    shared.there.index(tag, manifests=entries)
    return made


def test_only_the_wanted_platform_comes(shared: Site) -> None:
    """Of an index, the image of the wanted platform is fetched with it, and another one when it is asked for."""
    made = index_of(shared, "many")
    assert shared.here.get("manifests/many").headers["content-type"] == media_types.OCI_INDEX
    assert [shared.fetched(layer.digest) for _, layer in made.values()] == [1, 0, 0]
    arm, layer = made["linux/arm64"]
    assert shared.here.get(f"manifests/{arm.digest}").content == arm.raw
    assert shared.here.get(f"blobs/{layer.digest}").content == layer.raw
    assert [shared.fetched(layer.digest) for _, layer in made.values()] == [1, 1, 0]


def test_an_index_without_the_wanted_platform(shared: Site) -> None:
    """Its first image stands for it."""
    layer = shared.there.blob(os.urandom(1000))
    image = shared.there.image("", layer)
    entry = image.descriptor | {"platform": {"os": "linux", "architecture": "riscv64"}}
    shared.there.index("rare", manifests=[entry])
    assert shared.here.get("manifests/rare").status_code == 200
    assert shared.fetched(layer.digest) == 1


def test_referrers_come_with_their_subject(shared: Site) -> None:
    """Where the upstream keeps them under a tag, as clients do, they are listed here as referrers."""
    image, _ = shared.push("signed")
    note = shared.there.image("", subject=image.descriptor, artifactType="application/x-note")
    shared.there.index(image.digest.replace(":", "-"), note)
    listed = shared.here.get(f"referrers/{image.digest}").json()["manifests"]
    assert [entry["digest"] for entry in listed] == [note.digest]


def test_a_namespace_selects_the_upstream(shared: Site) -> None:
    """`?ns=` names it, as containerd's mirrors do; the answer repeats it, for manifests and blobs."""
    image, layer = shared.push("by-namespace")
    for rest, content in ((f"manifests/{image.digest}", image.raw), (f"blobs/{layer.digest}", layer.raw)):
        for _ in range(3):
            answer = shared.here.client.get(f"/v2/team/app/{rest}?ns=docker.io")
            assert (answer.content, answer.headers["oci-namespace"]) == (content, "docker.io")


def test_an_unknown_namespace_is_ignored(shared: Site) -> None:
    """So is one in a write: it goes to the repository in the path."""
    shared.push()
    answer = shared.here.client.get("/v2/team/app/manifests/v1?ns=elsewhere.example")
    assert (answer.status_code, "oci-namespace" in answer.headers) == (404, False)
    begun = shared.here.client.post("/v2/team/app/blobs/uploads/?ns=docker.io")
    assert begun.status_code == 202
    assert begun.headers["location"].startswith("/v2/team/app/")
