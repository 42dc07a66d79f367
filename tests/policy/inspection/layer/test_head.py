"""How a layer begins: every form that an unpacker takes is known by its bytes."""

import bz2
import gzip
import io
import lzma
import tarfile

import pytest

from policy.inspection.archive.zstandard import zstd
from policy.inspection.layer.head import HEAD, Opening, looks_like_layer, opening
from tests.policy.images_made import noise


def archive(form: int = tarfile.USTAR_FORMAT, body: bytes = b"") -> bytes:
    """A tar archive of one file."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=form) as opened:
        member = tarfile.TarInfo("etc/os-release")
        member.size = len(body)
        opened.addfile(member, io.BytesIO(body))
    return held.getvalue()


def old(raw: bytes) -> bytes:
    """The same archive as Unix V7 wrote it: without a magic number."""
    block = bytearray(raw[:257] + bytes(255))
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + raw[512:]


TAR = archive()
SKIPPED = b"\x50\x2a\x4d\x18\x04\0\0\0skip"
NOISE = noise(900_000)
COMMENT = b"\x1f\x8b\x08\x10" + bytes(6) + b"c" * 100_000 + b"\0" + gzip.compress(TAR)[10:]
FORMS = {
    "plain": TAR,
    "GNU": archive(tarfile.GNU_FORMAT),
    "V7": old(TAR),
    "gzip": gzip.compress(TAR),
    "gzip after an empty member": gzip.compress(b"") + gzip.compress(TAR),
    "gzip in small members": gzip.compress(TAR[:100]) + gzip.compress(TAR[100:]),
    "gzip with a long comment": COMMENT,
    "zstd": zstd.compress(TAR),
    "zstd after a frame to skip": SKIPPED + zstd.compress(TAR),
    "zstd after an empty frame": zstd.compress(b"") + zstd.compress(TAR),
    "bzip2": bz2.compress(TAR),
    "bzip2 with a full block": bz2.compress(archive(body=NOISE)),
    "xz": lzma.compress(TAR),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_tar_archive_is_known_in_every_form(form: str) -> None:
    """Also where it takes more than the first bytes to see it: then more are asked for."""
    raw = FORMS[form]
    first = opening(raw[:HEAD], whole=len(raw) <= HEAD)
    assert first is not Opening.OTHER
    assert opening(raw, whole=True) is Opening.TAR


OTHERS = {
    "JSON": b'{"critical": {}}',
    "a long text": b"text " * 1000,
    "a model": b"GGUF\x03\0\0\0" + bytes(4096),
    "compressed JSON": gzip.compress(b"{}"),
    "compressed text": zstd.compress(b"text " * 1000),
    "a wrong checksum": TAR[:10] + b"x" + TAR[11:],
}


@pytest.mark.parametrize("content", OTHERS)
def test_everything_else_is_none(content: str) -> None:
    """No unpacker would find an archive in it."""
    raw = OTHERS[content]
    assert opening(raw, whole=len(raw) < HEAD) is Opening.OTHER


@pytest.mark.parametrize(
    "raw",
    [b"", bytes(1024), bytes(20_000), gzip.compress(bytes(10240), mtime=0), gzip.compress(b"", mtime=0)],
    ids=["nothing", "plain", "long", "compressed", "compressed nothing"],
)
def test_an_archive_without_members_is_empty(raw: bytes) -> None:
    """Unpackers stop at its zeros, and are content."""
    assert opening(raw[:HEAD], whole=len(raw) <= HEAD) is Opening.EMPTY


@pytest.mark.parametrize("raw", [b"\x1f\x8b\x08\xe0" + bytes(600), lzma.compress(TAR)[:20], zstd.compress(TAR)[:10]])
def test_what_cannot_be_read_stays_undecided(raw: bytes) -> None:
    """Some unpacker may be more patient, so it is never taken for something else."""
    assert opening(raw, whole=True) is Opening.UNDECIDED


@pytest.mark.parametrize("form", ["plain", "V7", "gzip", "zstd", "zstd after a frame to skip"])
def test_layers_are_followed_while_they_arrive(form: str) -> None:
    """In the forms that can be inspected."""
    assert looks_like_layer(FORMS[form][:HEAD])


@pytest.mark.parametrize("content", ["JSON", "a model", "a wrong checksum"])
def test_nothing_else_is_followed(content: str) -> None:
    """A worker would be started in vain."""
    assert not looks_like_layer(OTHERS[content])
