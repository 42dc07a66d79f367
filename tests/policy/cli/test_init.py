"""`basegate init`: a registry before anything is served from it."""

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from tests.policy.cli.test_serve import status
from tests.server_process import serving


def init(data: Path, *words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(basegate, ["init", "--data", str(data), *words])


def test_secrets_of_a_new_registry_are_good(tmp_path: Path) -> None:
    """They are shown once, and the server that is started then shows no others."""
    made = json.loads(init(tmp_path / "data", "--json").stdout)["principals"]
    secrets = {item["name"]: item["secrets"][0]["value"] for item in made}
    with serving(tmp_path / "data") as server:
        assert [status(server.host, name, secret) for name, secret in secrets.items()] == [200, 200]
        assert "AcrPull" not in server.stop()


def test_for_a_person(tmp_path: Path) -> None:
    """How to go on, and the secrets."""
    said = init(tmp_path / "data").stdout
    assert f"basegate serve --data {tmp_path}/data\n" in said
    assert "admin    Owner" in said


def test_the_settings_file_is_named(tmp_path: Path) -> None:
    """Without it the server would look for rows and blobs elsewhere."""
    (tmp_path / "basegate.yaml").write_text("log: {level: info}\n")
    said = init(tmp_path / "data", "--config", str(tmp_path / "basegate.yaml")).stdout
    assert f"basegate serve --config {tmp_path}/basegate.yaml --data {tmp_path}/data\n" in said


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    """As `serve` makes it."""
    init(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_all_keys_are_made(tmp_path: Path) -> None:
    """Those of receipts and verdicts too: other nodes get copies of the folder, and sign with the same."""
    init(tmp_path)
    made = keys(tmp_path)
    assert sorted(made) == ["receipts.pem", "signing.pem", "verdicts.pem"]
    with serving(tmp_path) as server:
        assert httpx.get(f"http://{server.host}/policy/v1/keys").status_code == 200
    assert keys(tmp_path) == made


def test_a_start_makes_all_keys(tmp_path: Path) -> None:
    """Before anybody asks for one: what is copied to other nodes then is complete."""
    with serving(tmp_path) as server:
        assert httpx.get(f"http://{server.host}/healthz").status_code == 200
        assert sorted(keys(tmp_path)) == ["receipts.pem", "signing.pem", "verdicts.pem"]


def keys(data: Path) -> dict[str, bytes]:
    """The private keys of a folder."""
    return {file.name: file.read_bytes() for file in (data / "keys").glob("*.pem")}


def test_a_registry_stays_as_it_is(tmp_path: Path) -> None:
    """What is there is not made again."""
    init(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    again = init(tmp_path)
    assert (again.exit_code, again.stdout, "there is a registry in" in again.stderr) == (2, "", True)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_certificates_may_be_there(tmp_path: Path) -> None:
    """`tls init` comes before or after."""
    CliRunner().invoke(basegate, ["tls", "init", "--data", str(tmp_path)])
    assert init(tmp_path).exit_code == 0


@pytest.mark.parametrize("name", ["blobs", "copy"])
def test_lost_rows_are_not_begun_anew(tmp_path: Path, name: str) -> None:
    """Where content or a copy of its rows is, a new registry would forget it."""
    place = tmp_path / ("blobs/sha256/00/0" if name == "blobs" else "copy/rows.db")
    place.parent.mkdir(parents=True)
    place.touch()
    result = init(tmp_path)
    assert (result.exit_code, (tmp_path / "registry.db").exists()) == (2, False)
