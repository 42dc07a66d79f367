"""An upload during which the registry is killed, at any step: after the restart its client comes to its 201."""

import subprocess
import sys
from pathlib import Path

import pytest

from registry.oci.digest import Digest
from registry.oci.errors import BlobUploadUnknown
from registry.storage.blob_store import StoredBlob
from tests.crash.dying_pusher import ACKNOWLEDGED
from tests.crash.dying_upload import WAYS
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenServices,
    open_services,
    pieces,
)


@pytest.mark.parametrize("way", WAYS)
def test_a_client_goes_on_after_a_kill_at_any_step(tmp_path: Path, way: str) -> None:
    """From where it heard last; the bytes are right, in its repository, and nothing of the upload is left."""
    command = [sys.executable, "-m", "tests.crash.dying_upload", str(tmp_path), way]
    subprocess.run(command, check=True, timeout=240)
    folders = sorted(tmp_path.iterdir(), key=lambda path: int(path.name))
    assert len(folders) > 3
    assert {folder.name: found for folder in folders if (found := wrong_in(folder, WAYS[way]))} == {}


def wrong_in(folder: Path, bodies: tuple[bytes, ...]) -> str:
    """What keeps a client from its end."""
    lines = (folder / ACKNOWLEDGED).read_text().split()
    if not lines:
        return ""
    content = b"".join(bodies)
    with open_services(folder / "data") as services:
        try:
            blob = go_on(services, lines[1], int(lines[3]) if lines[2:3] == ["stands"] else 0, bodies)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the client meets
            return repr(error)
        assert blob.path is not None
        found = services.run(services.blobs.pull(PUSHER, REPOSITORY, Digest.of(content))).digest
        left = [path.name for path in (services.data / "uploads").iterdir()]
        return "" if (blob.path.read_bytes(), found, left) == (content, Digest.of(content), []) else f"left: {left}"


def go_on(services: OpenServices, upload: str, stands: int, bodies: tuple[bytes, ...]) -> StoredBlob:
    """As clients do: ask where the upload stands, bring the rest, and make the last request (again)."""
    digest = Digest.of(b"".join(bodies))
    try:
        session = services.run(services.uploads.session(REPOSITORY, upload))
    except BlobUploadUnknown:
        blob = services.run(services.uploads.finish_again(REPOSITORY, upload, digest, pieces(bodies[-1])))
        assert blob is not None, "unknown"
        return blob
    assert session.size >= stands, f"{session.size} instead of {stands} bytes"
    rest = b"".join(bodies[:-1])[session.size :]
    if rest:
        services.run(services.uploads.append(session, pieces(rest), session.size, len(rest)))
    assert session.size == len(b"".join(bodies[:-1]))
    return services.run(services.uploads.finish(session, digest, pieces(bodies[-1]), None, len(bodies[-1])))


def test_nobody_gets_a_blob_by_its_name(tmp_path: Path) -> None:
    """A last request that was cut opens no content of other repositories, though a note of it is left."""
    with open_services(tmp_path) as services:
        secret = services.run(services.push_blob(b"of others", OTHER))
        session = services.run(services.uploads.start(REPOSITORY, PUSHER))
        services.run(services.uploads.append(session, pieces(b"mine"), None, None))
    folder = tmp_path / "uploads" / session.id
    (folder / "last.json").write_text(f'{{"size": 4, "digest": "{secret}", "checked": false}}')
    (folder / "data").unlink()
    with open_services(tmp_path) as services:
        assert services.run(services.uploads.finish_again(REPOSITORY, session.id, secret, pieces())) is None
        assert services.run(services.uploads.finish_again(REPOSITORY, "../made-up", secret, pieces())) is None
