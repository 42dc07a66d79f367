"""Exports: one OCI layout of what a repository has, the same bytes each time, and back again."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.errors import BasegateError
from registry.gate import Decision, OpenGate
from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag
from registry.storage.disk.layout import Layout as DiskLayout
from registry.transfer.errors import TargetUnusable
from registry.transfer.exporting import Exported, Exporting
from registry.transfer.layout_files import LayoutFiles, LayoutTar, layout_files
from registry.transfer.opening import open_path
from registry.transfer.repository import Repository, Shelf
from tests.registry.open_services import REPOSITORY, OpenServices, open_services
from tests.registry.transfer.archives import LAYER, LIMITS, MadeLayout, referrer_of
from tests.registry.transfer.copies import copied, repository_of, tags_of

READER = Principal("2", "reader", Role.ACR_PULL)
ELSEWHERE = RepositoryName("else/where")


@pytest.fixture(name="filled")
def _filled(services: OpenServices) -> OpenServices:
    """An index under two tags, an image with a signature, and a tag of that signature's content."""
    layout = MadeLayout()
    image, other = layout.manifest(), layout.manifest((b"other",), architecture="arm64")
    index = layout.index(image, other)
    layout.listed(index, "v2").listed(index, "latest").listed(image, "v1").listed(referrer_of(layout, image))
    copied(services, layout.source())
    return services


def exported(services: OpenServices, files: LayoutFiles, reference: Reference | None = None) -> Exported:
    """Export the repository, as somebody who may only pull."""
    shelf = Shelf(services.blobs, services.uploads, services.manifests, services.tags, services.referrers)
    return services.run(Exporting(Repository(shelf, READER, REPOSITORY, reference), LIMITS).write(files))


def streamed(services: OpenServices) -> bytes:
    """The export as a tar."""
    held = io.BytesIO()
    exported(services, LayoutTar(None, held))
    return held.getvalue()


def test_two_exports_are_the_same_bytes(filled: OpenServices) -> None:
    """Nothing of the time, the machine or the order of pushes is in them."""
    assert streamed(filled) == streamed(filled)


def test_another_registry_with_the_same_content_exports_the_same_bytes(filled: OpenServices, tmp_path: Path) -> None:
    """Also when it got the content in one step."""
    first = streamed(filled)
    (tmp_path / "out.tar").write_bytes(first)
    with open_services(tmp_path / "other") as other:
        copied(other, open_path(tmp_path / "out.tar", LIMITS))
        assert streamed(other) == first


@pytest.mark.parametrize("out", ["out.tar", "out"])
def test_an_export_comes_back_as_it_was(filled: OpenServices, tmp_path: Path, out: str) -> None:
    """Tags, digests and referrers."""
    exported(filled, layout_files(str(tmp_path / out), io.BytesIO()))
    copied(filled, open_path(tmp_path / out, LIMITS), name=ELSEWHERE)
    before, after = tags_of(filled), tags_of(filled, ELSEWHERE)
    found = [filled.run(repository_of(filled, name).referrers(before["v1"])) for name in (REPOSITORY, ELSEWHERE)]
    assert before == after
    assert found[0] == found[1] != []


def test_one_tag_is_exported_alone(filled: OpenServices, tmp_path: Path) -> None:
    """With what refers to it."""
    result = exported(filled, layout_files(str(tmp_path / "out"), io.BytesIO()), Tag("v1"))
    entries = json.loads((tmp_path / "out/index.json").read_bytes())["manifests"]
    assert [entry.get("annotations") for entry in entries] == [{"org.opencontainers.image.ref.name": "v1"}, None]
    assert (result.referrers, result.manifests, result.blobs) == (1, 2, 4)


def test_members_are_sorted_and_of_no_time(filled: OpenServices) -> None:
    """Owned by nobody in particular."""
    with tarfile.open(fileobj=io.BytesIO(streamed(filled))) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}


def test_damaged_content_is_not_exported(filled: OpenServices, tmp_path: Path) -> None:
    """And nothing of the export stays."""
    file = DiskLayout(filled.data).blob(Digest.of(LAYER))
    file.chmod(0o600)
    file.write_bytes(LAYER[:-1] + b"!")
    with pytest.raises(BasegateError):
        exported(filled, layout_files(str(tmp_path / "out.tar"), io.BytesIO()))
    assert [item.name for item in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize(
    "make", [lambda place: place.write_bytes(b"mine"), lambda place: (place / "mine").mkdir(parents=True)]
)
@pytest.mark.parametrize("name", ["out.tar", "out"])
def test_nothing_is_written_over(tmp_path: Path, make: Callable[[Path], object], name: str) -> None:
    """What is at the place stays."""
    make(tmp_path / name)
    with pytest.raises(TargetUnusable, match="is there already"):
        layout_files(str(tmp_path / name), io.BytesIO())


class Withholding(OpenGate):
    """A gate that withholds one manifest from everybody."""

    def __init__(self, withheld: str) -> None:
        self._withheld = withheld

    async def before_manifest_pull(
        self,
        principal: Principal,  # noqa: ARG002
        repository: RepositoryName,  # noqa: ARG002
        digest: Digest,
        tag: Tag | None,  # noqa: ARG002
    ) -> Decision:
        """Refuse it, with a reason."""
        return Decision(digest != self._withheld, "it is not cleared")


def test_what_the_gate_withholds_is_left_out(filled: OpenServices) -> None:
    """And told with its reason; an index is as open as the gate says, not as its children are."""
    withheld = tags_of(filled)["v2"]
    filled.close()
    with open_services(filled.data, Withholding(withheld)) as again:
        shelf = Shelf(again.blobs, again.uploads, again.manifests, again.tags, again.referrers)
        source = Repository(shelf, READER, REPOSITORY)
        images = again.run(source.images())
    assert [image.tag for image in images] == ["v1"]
    assert source.withheld.reasons == {"team/app:latest": "it is not cleared", "team/app:v2": "it is not cleared"}
