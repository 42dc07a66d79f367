"""Rows against files, both ways: what does not fit is named, and put right where nothing has to be guessed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.damages import change_manifest, cut, flipped
from tests.registry.open_services import descriptor, image, index, open_services

LARGE = b"large" * 100_000
Harm = Callable[[Path], None]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with an image, its signature and an index, whose small blobs are durable in their files."""
    with open_services(tmp_path) as services:
        services.run(services.push_image(Tag("v1"), [b"small", LARGE]))
        services.run(
            services.push_manifest(image((), subject=descriptor(image([b"small", LARGE])), annotations={"a": "b"}))
        )
        services.run(services.push_manifest(index(image([b"small", LARGE])), Tag("all")))
        services.run(services.journal.settle())
    return tmp_path


def verify(data: Path, *arguments: str) -> tuple[int, list[str]]:
    """Exit code, and the kinds of what was found and is not put right."""
    result = CliRunner().invoke(basegate, ["verify", "--data", str(data), "--json", *arguments])
    found = json.loads(result.stdout)["findings"]
    return result.exit_code, sorted({item["kind"] for item in found if not item["repaired"]})


def file_of(data: Path, content: bytes) -> Path:
    """Where a blob's bytes are."""
    return next(data.glob(f"blobs/*/*/{Digest.of(content).encoded}"))


def statement(text: str, *values: object) -> Harm:
    """A change of rows."""
    return lambda data: change_manifest(data, text, values)


def on(content: bytes, harm: Harm) -> Harm:
    """Harm to a blob's file."""
    return lambda data: harm(file_of(data, content))


def stray(data: Path) -> None:
    """A file that no basegate has written."""
    (data / "blobs" / "sha256" / "aa").mkdir(exist_ok=True)
    (data / "blobs" / "sha256" / "aa" / "notes.txt").touch()


def linked(data: Path) -> None:
    """A link in the place of a file."""
    path = file_of(data, b"small")
    path.rename(data / "elsewhere")
    path.symlink_to(data / "elsewhere")


MENDED = {
    "size of a blob": statement("UPDATE repository_blobs SET size = 1"),
    "blob not shown": statement("DELETE FROM repository_blobs"),
    "size of a manifest": statement("UPDATE manifests SET size = 1"),
    "type of a manifest": statement("UPDATE manifests SET media_type = 'text/plain'"),
    "subject": statement("UPDATE manifests SET subject = NULL"),
    "annotations": statement("UPDATE manifests SET annotations = '{}'"),
    "reference": statement("UPDATE manifest_references SET size = size + 1"),
    "reference lost": statement("DELETE FROM manifest_references WHERE position = 1"),
    "tag": statement("UPDATE tags SET digest = ? WHERE name = 'v1'", Digest.of(b"nothing")),
    "mode": on(LARGE, lambda path: path.chmod(0o644)),
    "stray": stray,
}
LEFT: dict[str, tuple[Harm, str]] = {
    "manifest": (statement("UPDATE manifests SET content = x'00'"), "manifest"),
    "missing": (on(LARGE, Path.unlink), "blob"),
    "cut": (on(LARGE, cut), "blob"),
    "link": (linked, "blob"),
}


def test_what_fits_is_said_to(data: Path) -> None:
    """Exit code 0, also when every blob is read; twice."""
    assert [verify(data), verify(data, "--digests")] == [(0, []), (0, [])]


def test_an_index_of_blobs_fits(data: Path) -> None:
    """BuildKit's cache; a blob of it that is lost is named."""
    with open_services(data) as services:
        services.run(services.push_blob(b"cached" * 20_000))
        child = descriptor(b"cached" * 20_000, "application/vnd.oci.image.layer.v1.tar+gzip")
        services.run(services.push_manifest(index(manifests=[child]), Tag("cache")))
    assert verify(data, "--digests") == (0, [])
    file_of(data, b"cached" * 20_000).unlink()
    assert verify(data)[0] == 1


@pytest.mark.parametrize("name", MENDED)
def test_what_needs_no_guess_is_put_right(data: Path, name: str) -> None:
    """Named first, repaired when asked to, and nothing is left."""
    MENDED[name](data)
    assert verify(data)[0] == 1
    assert verify(data, "--repair") == (0, [])
    assert verify(data) == (0, [])


@pytest.mark.parametrize("name", LEFT)
def test_what_has_to_be_pushed_again_is_named(data: Path, name: str) -> None:
    """Nothing here can make it anew; a push can."""
    harm, kind = LEFT[name]
    harm(data)
    code, kinds = verify(data, "--repair")
    assert (code, kind in kinds) == (1, True)
    with open_services(data) as services:
        services.run(services.push_image(Tag("v1"), [b"small", LARGE]))
        services.run(
            services.push_manifest(image((), subject=descriptor(image([b"small", LARGE])), annotations={"a": "b"}))
        )
        services.run(services.push_manifest(index(image([b"small", LARGE])), Tag("all")))
    assert verify(data, "--repair") == (0, [])


def test_a_flipped_bit_is_found_by_reading(data: Path) -> None:
    """Lengths alone do not tell."""
    flipped(file_of(data, LARGE))
    assert (verify(data)[0], verify(data, "--digests")) == (0, (1, ["blob"]))


def test_a_damaged_database_is_told(data: Path) -> None:
    """Nothing is read from it, and nothing is repaired."""
    content = bytearray((data / "registry.db").read_bytes())
    content[4096 * 4 : 4096 * 5] = b"\xff" * 4096
    (data / "registry.db").write_bytes(content)
    result = CliRunner().invoke(basegate, ["verify", "--data", str(data), "--repair"])
    assert result.exit_code in {1, 2}
    assert "database" in result.output
