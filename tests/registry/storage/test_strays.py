"""Something else in the place of a blob's file or folder is as if nothing were there, and a push heals it."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from registry.storage.disk.reading import hash_file
from tests.repository import Repository
from tests.servers import LiveRegistry, open_registry

SMALL, LARGE = b"small" * 100, b"large" * 100_000


def a_folder(path: Path) -> None:
    """With something in it."""
    path.unlink()
    (path / "more").mkdir(parents=True)


def a_pipe(path: Path) -> None:
    """Whoever opens it waits for a writer."""
    path.unlink()
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    """It cannot be opened."""
    path.unlink()
    os.mknod(path, stat.S_IFSOCK | 0o600)


def a_link(path: Path) -> None:
    """To the very bytes, elsewhere."""
    elsewhere = path.parents[3] / path.name
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def no_folder(path: Path) -> None:
    """The folder of the blob has gone, with all in it."""
    shutil.rmtree(path.parent)


def no_folder_but_a_file(path: Path) -> None:
    """A file stands in the place of the folder."""
    shutil.rmtree(path.parent)
    path.parent.touch()


EVERY = (a_folder, a_pipe, a_socket, a_link, no_folder, no_folder_but_a_file)
Put = Callable[[Path], None]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveRegistry]:
    """A registry."""
    with open_registry(tmp_path / "data") as live:
        yield live


def place_of(data: Path, digest: Digest) -> Path:
    """Where a blob's file belongs."""
    return data.joinpath("blobs", digest.algorithm, digest.encoded[:2], digest.encoded)


@pytest.mark.parametrize("put", EVERY)
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_push_heals_the_place(live: LiveRegistry, repository: Repository, content: bytes, put: Put) -> None:
    """The blob and its image are not there until the blob is pushed again."""
    blob = repository.blob(content)
    image = repository.image("v1", blob)
    put(place_of(live.data, blob.digest))
    paths = [f"blobs/{blob.digest}", f"manifests/{image.digest}"]
    assert [repository.get(path).status_code for path in paths] == [404, 404]
    repository.blob(content)
    assert [repository.get(path).status_code for path in paths] == [200, 200]
    assert repository.get(paths[0]).content == content


def test_a_first_push_heals_its_folder(live: LiveRegistry, repository: Repository) -> None:
    """Also where nothing has come to that folder since the start."""
    digest = Digest.of(LARGE)
    folder = place_of(live.data, digest).parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.touch()
    repository.blob(LARGE)
    assert repository.get(f"blobs/{digest}").status_code == 200


@pytest.mark.parametrize("put", EVERY)
def test_a_start_restores_what_the_journal_has(tmp_path: Path, put: Put) -> None:
    """A small blob whose bytes are still in the database is put back into its place."""
    with open_registry(tmp_path, operations={"watch": False}) as live, live.client() as client:
        blob = Repository(client, "team/app").blob(SMALL)
        rows = {path.name: path.read_bytes() for path in tmp_path.glob("registry.db*")}
    for name, content in rows.items():
        (tmp_path / name).write_bytes(content)  # as a kill leaves it
    put(place_of(tmp_path, blob.digest))
    with open_registry(tmp_path) as live, live.client() as client:
        assert Repository(client, "team/app").get(f"blobs/{blob.digest}").content == SMALL


@pytest.mark.parametrize("put", [a_folder, a_pipe, a_socket, a_link])
def test_what_is_no_file_is_not_read(tmp_path: Path, put: Put) -> None:
    """Who reads whole files, as a scrub does, passes over it and waits for nobody."""
    (tmp_path / "1/2/3/4").mkdir(parents=True)
    place = tmp_path / "1/2/3/4/file"
    place.touch()
    put(place)
    assert hash_file(place, "sha256") is None


def test_what_was_in_the_place_is_kept(live: LiveRegistry, repository: Repository) -> None:
    """In `quarantine/`: whoever put it there may want it back."""
    blob = repository.blob(SMALL)
    a_folder(place_of(live.data, blob.digest))
    repository.blob(SMALL)
    assert [path.name for path in (live.data / "quarantine").glob("*/*")] == ["more"]
    assert repository.client.get("/readyz").status_code == 200
