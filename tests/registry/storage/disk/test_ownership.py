"""Whose the data folder is: nothing in it becomes root's, and a folder that others can read is told of."""

import ast
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from registry.oci.errors import BlobUploadUnknown
from registry.oci.names import Tag
from registry.server.data_lock import DataLock
from registry.server.startup import CannotStart
from registry.storage.disk.layout import LinkPlanted
from registry.storage.disk.ownership import _OF_EXTRAS, _OF_OTHERS, cautions_on
from tests.architecture.source import ROOT
from tests.registry.open_services import PUSHER, REPOSITORY, open_services, pieces

NOBODY = 65534
OF_SERVERS = {"uvicorn", "uvloop", "watchfiles"}
"""What no command imports."""
COMMANDS = [
    ["principal", "create", "ci", "--role", "AcrPull"],
    ["gc", "run"],
    ["verify"],
    ["scrub", "--rate", "0"],
    ["trash", "ls"],
    ["tls", "init"],
    ["retention", "plan"],
]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of root's in which the folder `data` is somebody else's."""
    folder = Path(f"/tmp/{tmp_path.parent.name}-{tmp_path.name}")  # noqa: S108 - pytest's own is root's alone
    with open_services(folder / "data") as services:
        services.run(services.push_image(Tag("v1")))
    give(folder / "data")
    yield folder
    shutil.rmtree(folder)


def give(folder: Path) -> None:
    """Give a folder to somebody else."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)


def owners(folder: Path) -> set[int]:
    """Whose a folder is, and what is in it."""
    return {path.stat().st_uid for path in [folder, *folder.rglob("*")]}


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A command of root's."""
    return subprocess.run([sys.executable, "-m", "policy", *words], capture_output=True, text=True, check=False)


@pytest.mark.root
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_of_root_s_leaves_no_file_of_root_s(folder: Path, command: list[str]) -> None:
    """Everything in the folder belongs to whom the folder belongs to."""
    done = run(*command, "--data", folder / "data")
    assert (done.returncode, owners(folder / "data")) == (0, {NOBODY}), done.stderr


@pytest.mark.root
def test_an_older_folder_is_migrated(folder: Path) -> None:
    """With what was read before the owner, who may not read the program, was acted as."""
    with closing(sqlite3.connect(folder / "data/registry.db")) as rows:
        rows.executescript("DROP TABLE upload_pieces; DROP TABLE uploads; DROP TABLE told_marks")
        rows.execute("UPDATE alembic_version SET version_num = '0014'")
        rows.commit()
    give(folder / "data")
    done = run("verify", "--data", folder / "data")
    assert (done.returncode, owners(folder / "data")) == (0, {NOBODY}), done.stderr


@pytest.mark.root
@pytest.mark.parametrize("is_there", [True, False])
def test_backups_and_what_is_restored_belong_to_the_owner(folder: Path, is_there: bool) -> None:
    """Though only root may make them there."""
    done = run("backup", folder / "backup", "--data", folder / "data")
    assert (done.returncode, owners(folder / "backup")) == (0, {NOBODY}), done.stderr
    if is_there:
        (folder / "new").mkdir()
        give(folder / "new")
    done = run("restore", folder / "backup", "--data", folder / "new")
    assert (done.returncode, owners(folder / "new")) == (0, {NOBODY}), done.stderr


@pytest.mark.root
@pytest.mark.parametrize(("command", "place"), [(["export", "team/app:v1"], "kept/out.tar"), (["backup"], "kept")])
def test_a_refusal_names_the_user_who_was_refused(folder: Path, command: list[str], place: str) -> None:
    """Root itself would not have been."""
    (folder / "kept").mkdir()
    done = run(*command, folder / place, "--data", folder / "data")
    assert done.returncode == 2
    assert f"denied to user {NOBODY}, whose data folder it is" in done.stderr


@pytest.mark.root
def test_an_inspection_tells_what_the_owner_may_not_run(tmp_path: Path) -> None:
    """The program is root's alone."""
    program = tmp_path / "python"
    program.write_bytes(b"")
    program.chmod(0o700)
    asked = "import os, sys; from policy.inspection.worker.process import not_for_this_user as told; before = told()"
    then = f"sys.executable = {str(program)!r}; os.seteuid({NOBODY}); print([before, told()])"
    done = subprocess.run([sys.executable, "-c", f"{asked}; {then}"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"['', 'user {NOBODY} may not run {program}: ")


def test_what_commands_import_late_is_known() -> None:
    """Of other packages: a command that acts as the owner imports them before."""
    files = [file for package in ("registry", "policy") for file in (ROOT / package).rglob("*.py")]
    late = {name for file in files for name in late_imports(ast.parse(file.read_text(encoding="utf-8")))}
    ours = {"registry", "policy", *sys.stdlib_module_names}
    assert {name for name in late if name.partition(".")[0] not in ours} == {*_OF_OTHERS, *_OF_EXTRAS, *OF_SERVERS}


def late_imports(module: ast.Module) -> Iterator[str]:
    """What functions of a module import."""
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for each in ast.walk(function):
                if isinstance(each, ast.ImportFrom) and each.module:
                    yield each.module
                elif isinstance(each, ast.Import):
                    yield from (alias.name for alias in each.names)


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
