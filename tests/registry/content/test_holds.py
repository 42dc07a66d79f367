"""Manifests under a hold: what is not deleted, not collected, and for how long."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from registry.metadata import holds, transactions
from registry.metadata.holds import Hold
from registry.metadata.transactions import ChangeContext
from registry.oci.digest import Digest
from registry.oci.errors import ManifestUnknown, Unsupported
from registry.oci.names import Tag
from tests.registry.ageing import HOUR, age
from tests.registry.open_services import REPOSITORY, OpenServices, image, index

V1 = Tag("v1")
UNTAGGED = {"gc": {"untagged_after_seconds": int(24 * HOUR)}}
Removal = Callable[[OpenServices], Coroutine[Any, Any, object]]


def hold(raw: bytes, name: str = "work/1") -> Hold:
    """A hold on a manifest."""
    return Hold(name, REPOSITORY, Digest.of(raw), "work 1 needs it", 1.0)


def place(services: OpenServices, raw: bytes, name: str = "work/1") -> None:
    """Put it on."""
    services.run(services.metadata.write(holds.place, hold(raw, name)))


async def manifest(services: OpenServices) -> None:
    """Delete the manifest by its digest."""
    await services.manifests.delete(REPOSITORY, Digest.of(image()))


async def repository(services: OpenServices) -> None:
    """Delete the repository."""
    await services.metadata.write(transactions.drop_repository, ChangeContext(REPOSITORY, "", 1.0))


async def blob(services: OpenServices) -> None:
    """Delete a layer of it."""
    await services.blobs.delete(REPOSITORY, Digest.of(b"layer"))


@pytest.mark.parametrize("removal", [manifest, repository, blob])
def test_what_is_held_is_not_deleted(services: OpenServices, removal: Removal) -> None:
    """Neither by itself, nor with its repository, nor in parts."""
    services.run(services.push_image(V1))
    place(services, image())
    with pytest.raises(Unsupported):
        services.run(removal(services))
    assert services.run(services.tag_names()) == (V1,)


def test_a_refusal_says_why(services: OpenServices) -> None:
    """In the words of whoever placed the hold."""
    services.run(services.push_image(V1))
    place(services, image())
    with pytest.raises(Unsupported, match=f"team/app@{Digest.of(image())} is held: work 1 needs it"):
        services.run(manifest(services))


def test_a_hold_on_an_index_keeps_its_manifests(services: OpenServices) -> None:
    """Of an index of an index, too."""
    inner = index(image())
    services.run(services.push_image())
    services.run(services.push_manifest(inner))
    services.run(services.push_manifest(index(inner), V1))
    place(services, index(inner))
    with pytest.raises(Unsupported, match="is held"):
        services.run(manifest(services))


def test_a_tag_of_what_is_held_may_go(services: OpenServices) -> None:
    """The content is what is needed, and has its digest."""
    services.run(services.push_image(V1))
    place(services, image())
    services.run(services.manifests.delete(REPOSITORY, V1))
    assert services.run(services.tag_names()) == ()


def test_a_collection_spares_what_is_held(services: OpenServices) -> None:
    """Until the hold is lifted."""
    services.configure(**UNTAGGED)
    services.run(services.push_image())
    place(services, image())
    age(services)
    assert services.run(services.collector.run()).manifests == 0
    assert services.run(services.metadata.write(holds.lift, "work/1")) == 1
    assert services.run(services.collector.run()).manifests == 1


def test_every_hold_counts(services: OpenServices) -> None:
    """Of two, lifting one does not let go."""
    services.run(services.push_image(V1))
    place(services, image())
    place(services, image(), "work/2")
    services.run(services.metadata.write(holds.lift, "work/2"))
    with pytest.raises(Unsupported):
        services.run(manifest(services))


def test_what_was_let_go_of_is_deleted(services: OpenServices) -> None:
    """As if nothing had been."""
    services.run(services.push_image(V1))
    place(services, image())
    services.run(services.metadata.write(holds.lift, "work/1"))
    services.run(manifest(services))
    assert services.run(services.tag_names()) == ()


def test_what_is_not_there_is_not_held(services: OpenServices) -> None:
    """A hold is no promise of content that nobody has pushed."""
    with pytest.raises(ManifestUnknown):
        place(services, image())


def test_holds_are_listed_by_the_beginning_of_their_names(services: OpenServices) -> None:
    """So that whoever placed them finds its own; placed again, a hold is one."""
    services.run(services.push_image(V1))
    for name in ("work/1", "other/1", "work/1"):
        place(services, image(), name)
    assert services.run(services.metadata.read(holds.named, "work/")) == [hold(image())]


def test_an_explanation_tells_of_holds(services: OpenServices) -> None:
    """`gc explain` names them."""
    services.run(services.push_image(V1))
    place(services, image())
    told = services.run(services.collector.explain(Digest.of(image())))
    assert "it is held in team/app: work 1 needs it" in told.reasons
