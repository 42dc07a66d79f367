"""Whose the data folder is: nothing in it becomes root's, and a folder that others can read is told of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry.oci.errors import BlobUploadUnknown
from registry.server.data_lock import DataLock
from registry.server.startup import CannotStart
from registry.storage.disk.layout import LinkPlanted
from registry.storage.disk.ownership import cautions_on
from tests.registry.open_services import PUSHER, REPOSITORY, open_services, pieces

NOBODY = 65534
COMMANDS = [
    ["principal", "create", "ci", "--role", "AcrPull"],
    ["gc", "run"],
    ["verify"],
    ["scrub", "--rate", "0"],
    ["trash", "ls"],
    ["tls", "init"],
    ["retention", "plan"],
]


@pytest.mark.root
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_of_root_s_leaves_no_file_of_root_s(tmp_path: Path, command: list[str]) -> None:
    """Everything in the folder belongs to whom the folder belongs to."""
    data = Path(f"/tmp/{tmp_path.parent.name}-{tmp_path.name}") / "data"  # noqa: S108 - pytest's own is root's alone
    with open_services(data) as services:
        services.run(services.push_blob(b"content"))
    for path in [data.parent, data, *data.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    done = subprocess.run(
        [sys.executable, "-m", "policy", *command, "--data", str(data)], capture_output=True, text=True, check=False
    )
    owners = {path.stat().st_uid for path in [data, *data.rglob("*")]}
    subprocess.run(["rm", "-rf", str(data.parent)], check=True)
    assert (done.returncode, owners) == (0, {NOBODY}), done.stderr


@pytest.mark.parametrize(("mode", "told"), [(0o700, 0), (0o755, 1), (0o710, 1)])
def test_a_folder_that_others_can_read_is_told_of(tmp_path: Path, mode: int, told: int) -> None:
    """With what to run; the mode stays what its owner made it."""
    tmp_path.chmod(mode)
    assert len(list(cautions_on(tmp_path))) == told
    assert tmp_path.stat().st_mode & 0o777 == mode


def test_a_removed_lock_file_lets_nobody_in(tmp_path: Path) -> None:
    """The folder itself is locked."""
    lock = DataLock(tmp_path)
    (tmp_path / "server.lock").unlink()
    with pytest.raises(CannotStart, match="removed"):
        DataLock(tmp_path)
    lock.release()
    DataLock(tmp_path).release()


@pytest.mark.parametrize("name", ["uploads", "blobs/sha256", "quarantine"])
def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is read or written through it."""
    with open_services(tmp_path / "data"):
        (tmp_path / "data" / name).rename(tmp_path / "elsewhere")
    (tmp_path / "data" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LinkPlanted, match="is a link"), open_services(tmp_path / "data"):
        pass


def test_a_link_in_the_place_of_an_upload_is_not_followed(tmp_path: Path) -> None:
    """Neither read nor written."""
    (tmp_path / "victim").write_bytes(b"untouched")
    with open_services(tmp_path / "data") as services:
        session = services.run(services.uploads.start(REPOSITORY, PUSHER))
        services.run(services.uploads.append(session, pieces(b"some"), 0, 4))
        path = session.staging.path
    assert path is not None
    path.unlink()
    path.symlink_to(tmp_path / "victim")
    with open_services(tmp_path / "data") as services, pytest.raises(BlobUploadUnknown):
        services.run(services.uploads.session(REPOSITORY, session.id))
    assert (tmp_path / "victim").read_bytes() == b"untouched"
