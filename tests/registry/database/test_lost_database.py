"""Content without the database that knows whose it is: nothing is begun in its place, and nothing is collected."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from policy.cli.main import basegate
from registry.metadata.open_store import DatabaseDamaged, DatabaseMissing
from registry.oci.names import Tag
from tests.registry.ageing import age_file
from tests.registry.open_services import open_services


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with an image, whose database has been removed."""
    with open_services(tmp_path / "data") as services:
        services.run(services.push_image(Tag("v1")))
    for path in (tmp_path / "data").glob("registry.db*"):
        path.unlink()
    return tmp_path / "data"


def files(data: Path) -> list[Path]:
    """Those of all blobs."""
    return sorted(data.glob("blobs/*/*/*"))


@pytest.mark.parametrize("command", [["serve"], ["gc", "run"], ["principal", "list"], ["repo", "ls"]])
def test_no_command_begins_in_its_place(data: Path, command: list[str]) -> None:
    """One line, no database afterwards, every file where it was."""
    before = files(data)
    result = CliRunner().invoke(basegate, [*command, "--data", str(data)])
    assert result.exit_code != 0
    assert len(result.stderr.splitlines()) == 1
    assert (files(data), (data / "registry.db").exists()) == (before, False)


def test_a_start_says_what_to_do(data: Path) -> None:
    """Exit code 2, and the three ways out."""
    result = CliRunner().invoke(basegate, ["serve", "--data", str(data)])
    assert result.exit_code == 2
    assert all(word in result.stderr for word in ("rebuild", "restore", "--new-database"))


def test_an_empty_database_is_none(data: Path) -> None:
    """Also a file without a table, as a copy without its write-ahead log leaves it."""
    (data / "registry.db").touch()
    with pytest.raises(DatabaseMissing), open_services(data):
        pass


def test_a_file_that_is_no_database_is_told(data: Path) -> None:
    """And left as it is."""
    (data / "registry.db").write_bytes(b"no database " * 1000)
    with pytest.raises(DatabaseDamaged, match="rebuild"), open_services(data):
        pass
    assert (data / "registry.db").read_bytes() == b"no database " * 1000


def test_a_new_database_that_was_asked_for_keeps_what_it_does_not_know(data: Path) -> None:
    """However old the files are; what comes later is collected as ever."""
    for path in files(data):
        age_file(path)
    with open_services(data, new_database=True, gc={"grace_seconds": 0}) as services:
        before = files(data)
        services.run(services.storage.put(services.run(services.push_blob(b"later")), b"later"))
        services.run(services.collector.run())
        assert files(data) == before


def test_an_empty_folder_is_new(tmp_path: Path) -> None:
    """Nothing was lost where nothing was."""
    with open_services(tmp_path) as services:
        assert services.run(services.push_image(Tag("v1"))).digest


def test_folders_that_a_copy_left_out_are_made_again(tmp_path: Path) -> None:
    """Archives and copies often drop empty folders."""
    with open_services(tmp_path) as services:
        services.run(services.push_image(Tag("v1")))
    for name in ("uploads", "incoming", "discarded", "blobs/sha512"):
        shutil.rmtree(tmp_path / name)
    with open_services(tmp_path) as services:
        assert services.run(services.push_blob(b"x" * 100_000))
