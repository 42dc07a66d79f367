"""OCI layouts as sources: folders and tars, indexes, platforms, referrers."""

import json
from pathlib import Path

import pytest

from registry.oci import media_types
from registry.oci.digest import Digest
from registry.transfer.errors import SourceUnusable
from registry.transfer.opening import open_path
from tests.registry.open_services import PUSHER, REPOSITORY, OpenServices
from tests.registry.transfer.archives import LAYER, LIMITS, MadeLayout, referrer_of
from tests.registry.transfer.copies import Counting, copied, offered, repository_of, tags_of


def two_platforms() -> MadeLayout:
    """An index of two images under `v1`."""
    layout = MadeLayout()
    children = layout.manifest(), layout.manifest((LAYER, b"for arm"), architecture="arm64")
    return layout.listed(layout.index(*children), "v1")


def signed() -> tuple[MadeLayout, dict[str, str]]:
    """An image, its signature, and the signature of that."""
    layout = MadeLayout()
    image = layout.manifest()
    signature = referrer_of(layout, image)
    layout.listed(image, "v1").listed(signature).listed(referrer_of(layout, signature, b"of the signature"))
    return layout, image


def referrers_of(services: OpenServices, subject: str) -> list[str]:
    """The digests of what refers to a manifest in the repository."""
    return [item.digest for item in services.run(repository_of(services).referrers(Digest(subject)))]


def test_a_folder_and_a_tar_are_the_same(services: OpenServices, tmp_path: Path) -> None:
    """The same tags and digests."""
    layout = two_platforms()
    (tmp_path / "it.tar").write_bytes(layout.tar())
    sources = [open_path(tmp_path / "it.tar", LIMITS), open_path(layout.folder(tmp_path / "it"), LIMITS)]
    tar, folder = ([(item.tag, item.descriptor.digest) for item in offered(services, each)] for each in sources)
    assert tar == folder == [("v1", layout.entries[0]["digest"])]


def test_an_index_comes_whole(services: OpenServices) -> None:
    """With the images of every platform, under its own digest."""
    layout = two_platforms()
    copied(services, layout.source())
    assert tags_of(services) == {"v1": layout.entries[0]["digest"]}


def test_one_platform_is_the_image_alone(services: OpenServices) -> None:
    """No blob of the other one is read."""
    source = Counting(two_platforms().source())
    [image], _ = copied(services, source, "linux/amd64")
    document = json.loads(services.run(services.manifests.pull(PUSHER, REPOSITORY, image.digest)).raw)
    assert len(document["layers"]) == 1
    assert len(source.read) == 2


def test_several_platforms_are_a_smaller_index(services: OpenServices) -> None:
    """The same choice gives the same digest."""
    layout = MadeLayout()
    children = [layout.manifest(architecture=name) for name in ("amd64", "arm64", "s390x")]
    layout.listed(layout.index(*children), "v1")
    first, second = (copied(services, layout.source(), "linux/amd64", "linux/s390x")[0][0] for _ in range(2))
    document = json.loads(services.run(services.manifests.pull(PUSHER, REPOSITORY, first.digest)).raw)
    assert [child["digest"] for child in document["manifests"]] == [children[0]["digest"], children[2]["digest"]]
    assert (second.digest, second.new) == (first.digest, False)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("linux/s390x", "nothing for linux/s390x: it is there for linux/amd64, linux/arm64"),
        ("amd64", "is no platform"),
        ("windows/amd64", "nothing for windows/amd64"),
    ],
)
def test_a_platform_that_is_not_there_is_told(services: OpenServices, wanted: str, told: str) -> None:
    """With those that are."""
    with pytest.raises(SourceUnusable, match=told):
        copied(services, two_platforms().source(), wanted)


def test_a_single_image_of_another_platform_is_told(services: OpenServices) -> None:
    """Its configuration says which it is for."""
    layout = MadeLayout()
    layout.listed(layout.manifest(), "v1")
    with pytest.raises(SourceUnusable, match="the image is for linux/amd64, and not for linux/arm64"):
        copied(services, layout.source(), "linux/arm64")


def test_what_refers_to_an_image_goes_along(services: OpenServices) -> None:
    """Also what refers to that; neither gets a tag."""
    layout, image = signed()
    [result], _ = copied(services, layout.source())
    [signature] = referrers_of(services, image["digest"])
    assert (result.referrers, len(referrers_of(services, signature)), list(tags_of(services))) == (2, 1, ["v1"])


def test_what_refers_to_a_child_goes_along(services: OpenServices) -> None:
    """Signatures are often of the images in an index."""
    layout = MadeLayout()
    child = layout.manifest()
    layout.listed(layout.index(child), "v1").listed(referrer_of(layout, child))
    copied(services, layout.source())
    assert len(referrers_of(services, child["digest"])) == 1


def test_referrers_under_a_tag_that_stands_for_the_list_are_found(services: OpenServices) -> None:
    """Clients write `sha256-…` where a registry has no list of referrers (distribution-spec)."""
    layout = MadeLayout()
    image = layout.manifest()
    tag = image["digest"].replace(":", "-")
    layout.listed(image, "v1").listed(layout.index(referrer_of(layout, image)), tag)
    copied(services, layout.source())
    assert len(referrers_of(services, image["digest"])) == 1


def test_an_entry_without_a_name_is_an_image(services: OpenServices) -> None:
    """It is kept by its digest."""
    layout = MadeLayout()
    image = layout.manifest()
    [result], _ = copied(services, layout.listed(image).source())
    assert (result.digest, result.tag) == (image["digest"], None)


def test_an_import_that_was_cut_goes_on_at_the_blob(services: OpenServices) -> None:
    """What the first try has brought is not read again."""
    layout = MadeLayout()
    image = layout.manifest((LAYER, b"second"))
    layout.listed(image, "v1")
    missing = next(name for name, content in layout.files.items() if content == b"second")
    cut = MadeLayout()
    cut.files = {name: content for name, content in layout.files.items() if name != missing}
    with pytest.raises(SourceUnusable):
        copied(services, cut.listed(image, "v1").source())
    again = Counting(layout.source())
    copied(services, again)
    assert again.read == [Digest.of(b"second")]


def test_layers_that_are_not_distributed_need_not_be_there(services: OpenServices) -> None:
    """As in images of Windows (image-spec, "Non-Distributable Layers")."""
    layout = MadeLayout()
    foreign = {**layout.blob(b"elsewhere"), "mediaType": next(iter(media_types.FOREIGN_LAYERS)), "urls": ["https://x"]}
    del layout.files[f"blobs/sha256/{foreign['digest'][7:]}"]
    layout.listed(layout.manifest((), layers=[foreign]), "v1")
    copied(services, layout.source())
    assert list(tags_of(services)) == ["v1"]
