"""`metadata.url`: what it may name, what a start says of a database that cannot be used, and what belongs together."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry.app import build
from registry.config.settings import RegistrySettings
from registry.config.sources import SettingsError, load
from registry.content.opened_rows import RowsUnusable
from registry.errors import BasegateError
from registry.metadata import open_postgres
from registry.metadata.open_postgres import DatabaseUnreachable
from registry.metadata.open_store import DatabaseMissing
from tests.ports import free_port
from tests.postgres import PostgresServer, postgres_server
from tests.repository import Repository
from tests.servers import open_registry, open_settings

SECRET = "only-for-the-lab"


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    """A server whose rules may be changed."""
    with postgres_server() as server:
        yield server


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://basegate@localhost/rows",
        "postgresql://basegate@[::1]:5432/rows?sslmode=require",
        "postgresql://basegate@one:5432,two:5433/rows?target_session_attrs=read-write",
        "postgresql://basegate@/rows?host=/run/postgresql",
        "postgresql://localhost",
    ],
)
def test_a_url_names_a_database(url: str) -> None:
    """In the forms of libpq."""
    assert load(RegistrySettings, None, {"metadata.url": url}, {}).metadata.url == url


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://basegate:{SECRET}@localhost/rows",
        f"postgresql://basegate:{SECRET}/more@localhost/rows",
        f"postgresql://basegate@localhost/rows?password={SECRET}",
        f"postgres:basegate:{SECRET}@localhost",
        f"host=localhost password={SECRET}",
        f"mysql://basegate:{SECRET}@localhost/rows",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """With the form that is needed, and without what was given: it may hold a password."""
    with pytest.raises(SettingsError) as refusal:
        load(RegistrySettings, None, {"metadata.url": url}, {})
    assert "url needs postgresql://USER@HOST:PORT/NAME, without a password" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_url_in_the_wrong_place_is_not_told_whole() -> None:
    """Where the whole group is set to it."""
    with pytest.raises(SettingsError) as refusal:
        load(RegistrySettings, None, {}, {"BASEGATE_METADATA": f"postgresql://basegate:{SECRET}@localhost/rows"})
    assert SECRET not in str(refusal.value)


def wrong(server: PostgresServer, folder: Path, case: str) -> tuple[dict[str, Any], str]:
    """Settings that cannot be used, and what the one line says of them."""
    if case == "address":
        return {"url": f"postgresql://basegate@127.0.0.1:{free_port()}/rows"}, "Connection refused"
    if case == "database":
        return {"url": server.at("nowhere").url}, 'database "nowhere" does not exist'
    if case == "no file":
        return {"url": server.at("ready").url, "password_file": str(folder / "absent")}, "cannot be read: No such file"
    if case == "empty file":
        (folder / "empty").write_text("\n")
        return {"url": server.at("ready").url, "password_file": str(folder / "empty")}, "is empty: needs the password"
    database = server.new_database("ready")
    with database.connect(autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    return {"url": database.url}, "the metadata has schema 9999"


@pytest.mark.parametrize("case", ["address", "database", "no file", "empty file", "newer"])
def test_a_database_that_cannot_be_used_ends_the_start(postgres: PostgresServer, tmp_path: Path, case: str) -> None:
    """With 2, and one line that says which part is wrong."""
    metadata, said = wrong(postgres, tmp_path, case)
    ended = serve(tmp_path, metadata)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def serve(folder: Path, metadata: dict[str, Any], **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a server that has to fail."""
    settings = {"data": str(folder / "data"), "listen": "127.0.0.1:0", "metadata": metadata}
    (folder / "basegate.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "policy", "serve", "--config", str(folder / "basegate.yaml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment or None)


def test_a_password_is_used_and_never_told(own: PostgresServer, tmp_path: Path) -> None:
    """A wrong one ends the start; the right one is read from its file."""
    (tmp_path / "password").write_text("wrong-" + SECRET)
    metadata = {"url": own.guarded(SECRET).url, "password_file": str(tmp_path / "password")}
    ended = serve(tmp_path, metadata)
    assert (ended.returncode, 'password authentication failed for user "guarded"' in ended.stderr) == (2, True)
    assert SECRET not in ended.stderr + ended.stdout
    (tmp_path / "password").write_text(SECRET + "\n")
    with open_registry(tmp_path / "data", metadata=metadata) as live, live.client() as client:
        assert client.get("/readyz").status_code == 200
        assert SECRET not in repr(live.app.services.stores.metadata)


def test_a_server_that_is_too_old(postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says which there is, and which is needed; the folder is as it was."""
    monkeypatch.setattr(open_postgres, "OLDEST", 99_00_00)
    with pytest.raises(DatabaseUnreachable, match=r"is PostgreSQL \d+: 99 or newer is needed"):
        build(open_settings(tmp_path, metadata=postgres.settings()))
    assert not (tmp_path / "rows.json").exists()


def push(data: Path, metadata: dict[str, Any], content: bytes = b"content") -> None:
    """Serve a folder for one push."""
    with open_registry(data, metadata=metadata) as live, live.client() as client:
        Repository(client, "team/app").blob(content)


def start(data: Path, metadata: dict[str, Any], **more: Any) -> None:
    """Start over a folder, and stop."""
    build(open_settings(data, metadata=metadata), **more).close()


def test_rows_are_in_the_database(postgres: PostgresServer, tmp_path: Path) -> None:
    """And nowhere else: a second start finds them there."""
    metadata = postgres.settings()
    push(tmp_path, metadata)
    assert not list(tmp_path.glob("registry.db*"))
    with open_registry(tmp_path, metadata=metadata) as live, live.client() as client:
        assert client.get("/v2/_catalog").json() == {"repositories": ["team/app"]}


def test_content_does_not_start_with_an_empty_database(postgres: PostgresServer, tmp_path: Path) -> None:
    """As where the database of a folder is lost; it stays empty, and is begun anew on request."""
    push(tmp_path, postgres.settings())
    empty = postgres.settings()
    for _ in range(2):
        with pytest.raises(DatabaseMissing, match="--new-database"):
            start(tmp_path, empty)
    start(tmp_path, empty, new_database=True)
    start(tmp_path, empty)


def test_content_without_a_mark_does_not_start_either(postgres: PostgresServer, tmp_path: Path) -> None:
    """Files alone are enough."""
    push(tmp_path, postgres.settings())
    (tmp_path / "rows.json").unlink()
    with pytest.raises(DatabaseMissing):
        start(tmp_path, postgres.settings())


def test_another_database_is_not_taken(postgres: PostgresServer, tmp_path: Path) -> None:
    """Its rows are of other content."""
    push(tmp_path / "one", postgres.settings())
    other = postgres.settings()
    start(tmp_path / "two", other)
    with pytest.raises(RowsUnusable, match="is that of another data folder"):
        start(tmp_path / "one", other)


def test_files_are_those_of_one_folder(postgres: PostgresServer, tmp_path: Path) -> None:
    """A second node would not have them; a copy of the folder does."""
    metadata = postgres.settings()
    push(tmp_path / "one", metadata)
    with pytest.raises(RowsUnusable, match=r"keep them in an object store \(storage.url\)"):
        start(tmp_path / "two", metadata)
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    start(tmp_path / "copy", metadata)


def test_a_folder_with_rows_of_its_own_keeps_them(postgres: PostgresServer, tmp_path: Path) -> None:
    """They would be hidden by others."""
    with open_registry(tmp_path) as live, live.client() as client:
        Repository(client, "team/app").blob(b"content")
    with pytest.raises(RowsUnusable, match=r"has rows of its own in registry\.db"):
        start(tmp_path, postgres.settings())


def test_without_the_setting_its_folder_does_not_start(postgres: PostgresServer, tmp_path: Path) -> None:
    """Its rows would be begun anew, in a file."""
    start(tmp_path, postgres.settings())
    with pytest.raises(BasegateError, match=r"name it in metadata\.url"):
        build(open_settings(tmp_path))
    assert not (tmp_path / "registry.db").exists()


def test_without_the_setting_nothing_of_it_is_imported(tmp_path: Path) -> None:
    """One machine starts as before."""
    program = (
        "import sys; from pathlib import Path; from policy.app import build; from policy.settings import Settings; "
        f"build(Settings(data=Path({str(tmp_path / 'data')!r}))).close(); "
        "sys.exit(any('psycopg' in name or 'postgresql' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_setting_without_the_extra_says_what_to_install(tmp_path: Path) -> None:
    """Where psycopg is not there."""
    program = (
        "import sys; sys.modules['psycopg'] = None; from pathlib import Path; from policy.app import build; "
        "from policy.settings import Settings; "
        f"build(Settings(data=Path({str(tmp_path / 'data')!r}), metadata={{'url': 'postgresql://localhost/rows'}}))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'basegate[cluster]'" in ended.stderr
