"""Archives that are not what they should be: a clear answer, and nothing of them is recorded."""

import json
import tarfile
from collections.abc import Callable

import pytest

from registry.config.transfer import TransferSettings
from registry.errors import BasegateError
from registry.oci.descriptor import Descriptor
from registry.oci.digest import Digest
from registry.oci.names import Tag
from registry.transfer.copying import Copying
from registry.transfer.platforms import ALL
from tests.registry.open_services import OpenServices
from tests.registry.transfer.archives import (
    LAYER,
    LIMITS,
    MadeLayout,
    docker_members,
    hard_link,
    opened,
    sha256,
    tar,
)
from tests.registry.transfer.copies import repository_of

WHOLE = tar(*docker_members({"0/layer.tar": LAYER}))
LAYERLESS = docker_members({"0/layer.tar": LAYER})[1:]


async def imported(archive: bytes, services: OpenServices, limits: TransferSettings = LIMITS) -> None:
    """Import everything in an archive."""
    source = opened(archive, limits)
    copying = Copying(source, repository_of(services), limits, selection=ALL)
    try:
        for image in await source.images():
            await copying.copy(image, image.tag)
    finally:
        await source.close()


def _claims(size: int) -> bytes:
    """An archive whose first member says that it had so many bytes."""
    member = tarfile.TarInfo("0/layer.tar")
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT) + WHOLE


def _with(name: str, content: bytes) -> bytes:
    members = dict(docker_members({"0/layer.tar": LAYER}))
    return tar(*(members | {name: content}).items())


def _layout(change: Callable[[MadeLayout], None]) -> bytes:
    layout = MadeLayout()
    layout.listed(layout.manifest(), "v1")
    change(layout)
    return layout.tar()


def _without_layer(layout: MadeLayout) -> None:
    del layout.files[f"blobs/sha256/{sha256(LAYER)[7:]}"]


def _with_other_layer(layout: MadeLayout) -> None:
    layout.files[f"blobs/sha256/{sha256(LAYER)[7:]}"] = LAYER.replace(b".", b"!")


def _with_longer_layer(layout: MadeLayout) -> None:
    layout.files[f"blobs/sha256/{sha256(LAYER)[7:]}"] = LAYER + b"more"


def _with_claim(layout: MadeLayout) -> None:
    layout.entries[0]["size"] = 100 << 30


def _with_other_manifest(layout: MadeLayout) -> None:
    name = f"blobs/sha256/{layout.entries[0]['digest'][7:]}"
    layout.files[name] = layout.files[name].replace(b'"schemaVersion": 2', b'"schemaVersion":2 ')


def _device() -> bytes:
    member = tarfile.TarInfo("dev/null")
    member.type = tarfile.CHRTYPE
    return member.tobuf(tarfile.USTAR_FORMAT)


def _extension(text: bytes) -> bytes:
    member = tarfile.TarInfo("pax")
    member.type, member.size = tarfile.XHDTYPE, len(text)
    return member.tobuf(tarfile.USTAR_FORMAT) + text + bytes(-len(text) % 512) + WHOLE


def _long_extension() -> bytes:
    return _extension(bytes(2 << 20))


WRONG = {
    "cut in a layer": (WHOLE[:2000], "ends within '0/layer.tar'"),
    "cut in a header": (WHOLE[:-10_000][: 512 * 7 + 100], "ends within"),
    "empty": (b"", "is empty"),
    "zeros": (bytes(10_240), "is empty"),
    "something else": (tar(("readme", b"x")), "neither oci-layout"),
    "no tar": (b"PK\x03\x04" + bytes(2000), "no tar archive"),
    "100 GB": (_claims(100 << 30), "ends within '0/layer.tar'"),
    "a size no file has": (_claims(1 << 64), "a size that no file has"),
    "absolute path": (tar(("/etc/passwd", b"x")) + WHOLE, "leads out of the archive"),
    "path upwards": (tar(("a/../../b", b"x")), "leads out of the archive"),
    "twice": (tar(("x", b"1"), ("./x", b"2")), "twice"),
    "device": (_device() + WHOLE, "is of type b'3'"),
    "long extension": (_long_extension(), "at most 1048576 are read"),
    "damaged extension": (_extension(b"9999 path=x\n"), "extension header of the archive is damaged"),
    "sparse file": (_extension(b"22 GNU.sparse.major=1\n"), "sparse file"),
    "link upwards": (
        tar(*LAYERLESS, ("0/layer.tar", "../../etc/passwd")),
        "leads out",
    ),
    "absolute link": (tar(*LAYERLESS, ("0/layer.tar", "/etc/passwd")), "leads out"),
    "link to itself": (tar(*LAYERLESS, ("0/layer.tar", "layer.tar")), "lead nowhere"),
    "hard link out": (hard_link("0/layer.tar", "../x") + tar(*LAYERLESS), "leads out"),
    "no layer": (tar(*LAYERLESS), "has no '0/layer.tar'"),
    "other layer": (_with("0/layer.tar", LAYER[:-1] + b"!"), "has digest"),
    "no list": (_with("manifest.json", b"{}"), "no list of images"),
    "no JSON": (_with("manifest.json", b"["), "cannot be read"),
    "no layers": (
        _with("manifest.json", b'[{"Config":"config.json","Layers":[]}]'),
        "and its configuration 1",
    ),
    "no configuration": (_with("manifest.json", b'[{"Layers":[]}]'), "names no Config"),
    "diff_ids that are none": (_with("config.json", b'{"rootfs":{"diff_ids":["md5:0"]}}'), "is not a"),
    "bzip2 layer": (_with("0/layer.tar", b"BZh91AY&SY"), "is bzip2"),
    "docker 1.9": (tar(("repositories", b"{}")), "before 1.10"),
    "layout without layer": (_layout(_without_layer), "has no 'blobs/sha256/"),
    "layout with other layer": (_layout(_with_other_layer), "has digest"),
    "layout with longer layer": (_layout(_with_longer_layer), "what names it says 3000"),
    "layout with a claim": (_layout(_with_claim), "what names it says 107374182400"),
    "layout with other manifest": (_layout(_with_other_manifest), "has digest"),
    "layout of nothing": (tar(("oci-layout", b"{}"), ("index.json", b"[]")), "index.json of the layout"),
    "cut gzip": (b"\x1f\x8b\x08\0\0\0\0\0", "ends early"),
    "damaged gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 2000, "damaged"),
    "damaged zstd": (b"\x28\xb5\x2f\xfd" + b"\xff" * 2000, "damaged"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_archive_is_refused(services: OpenServices, name: str) -> None:
    """With a sentence that says what is wrong with it."""
    archive, told = WRONG[name]
    with pytest.raises(BasegateError, match=r".") as refusal:
        services.run(imported(archive, services))
    assert told in str(refusal.value)


@pytest.mark.parametrize("name", WRONG)
def test_nothing_of_it_is_recorded(services: OpenServices, name: str) -> None:
    """No tag, no manifest, and no blob under a digest that is not its own."""
    with pytest.raises(BasegateError):
        services.run(imported(WRONG[name][0], services))
    assert services.run(repository_of(services).digest_of(Tag("v1"))) is None
    blob = Descriptor("application/octet-stream", Digest.of(LAYER), len(LAYER))
    assert not services.run(repository_of(services).has_blob(blob))


def test_what_a_wrong_archive_names_is_never_read_whole(services: OpenServices) -> None:
    """A list of images of more than the limit is refused by its size."""
    limits = TransferSettings(document_bytes=1024)
    archive = _with("manifest.json", json.dumps([{"Config": "x" * 2000}]).encode())
    with pytest.raises(BasegateError, match=r"at most 1024 are read \(transfer.document_bytes\)"):
        services.run(imported(archive, services, limits))


def test_an_archive_with_too_many_members_is_refused() -> None:
    """Before more of them are remembered."""
    with pytest.raises(BasegateError, match=r"more than 2 members \(transfer.archive_members\)"):
        opened(WHOLE, TransferSettings(archive_members=2))
