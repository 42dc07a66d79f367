"""What `storage.url` may name, and what a start says of a store that cannot be used."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from registry.config.settings import RegistrySettings
from registry.content.opened_stores import open_stores_of
from registry.metadata.identity import identity
from registry.metadata.open_store import DatabaseMissing
from registry.oci.digest import Digest
from registry.storage.objects.address import StoreAddress, StoreUnusable, parse_store_url
from registry.storage.objects.locations import new_location
from tests.ports import free_port
from tests.registry.storage.object_servers import moto


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("s3://bucket", StoreAddress("s3", "bucket", "")),
        ("s3://bucket/", StoreAddress("s3", "bucket", "")),
        ("az://container/lab/images/", StoreAddress("az", "container", "lab/images")),
        ("gs://bucket/prefix", StoreAddress("gs", "bucket", "prefix")),
    ],
)
def test_a_url_names_a_place(url: str, address: StoreAddress) -> None:
    """A scheme, a bucket or container, and a prefix that may be missing."""
    assert parse_store_url(url) == address


@pytest.mark.parametrize(
    "url", ["bucket", "http://bucket/x", "s3:bucket", "s3://", "s3://b?x=1", "s3://bucket/a/../b", "s3://bucket/a//b"]
)
def test_other_urls_are_refused(url: str) -> None:
    """With the forms that there are."""
    with pytest.raises(StoreUnusable, match="needs s3://BUCKET/PREFIX"):
        parse_store_url(url)


@pytest.mark.parametrize("login", ["AK:hidden@", "hidden@", "AK:hid/hidden@"])
def test_no_login_in_a_url_is_told(login: str) -> None:
    """Somebody took it for the place of keys."""
    with pytest.raises(StoreUnusable, match=r"s3://…@bucket/lab") as refused:
        parse_store_url(f"s3://{login}bucket/lab")
    assert "hidden" not in str(refused.value)


def serve(folder: Path, storage: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Start a server that has to fail."""
    settings = {"data": str(folder / "data"), "listen": "127.0.0.1:0", "storage": storage, "auth": {"required": False}}
    (folder / "basegate.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "policy", "serve", "--config", str(folder / "basegate.yaml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def of_moto(folder: Path, **changed: Any) -> dict[str, object]:
    """Settings for moto, as a file has them."""
    storage = moto().settings(folder, **changed)
    return {name: str(value) if isinstance(value, Path) else value for name, value in storage.items()}


@contextmanager
def wrong(folder: Path, case: str) -> Iterator[tuple[dict[str, object], str]]:
    """Settings that cannot be used, and what the one line says of them."""
    if case == "url":
        yield of_moto(folder, url="s4://bucket"), "needs s3://BUCKET/PREFIX"
    elif case == "bucket":
        yield of_moto(folder, url="s3://nobody/has-it"), "no such bucket"
    elif case == "away":
        yield of_moto(folder, endpoint=f"http://127.0.0.1:{free_port()}", timeout_seconds=2), "does not answer"
    elif case == "no file":
        yield of_moto(folder, credentials=str(folder / "absent")), "cannot be read: No such file"
    elif case == "no credential":
        (folder / "odd.env").write_text("# keys\n\nPASSWORD=x\n")
        yield of_moto(folder, credentials=str(folder / "odd.env")), "line 3 of"
    else:
        (folder / "unknown.env").write_text("AWS_FRIEND=x\n")
        yield of_moto(folder, credentials=str(folder / "unknown.env")), "name something unknown"


@pytest.mark.parametrize("case", ["url", "bucket", "away", "no file", "no credential", "unknown"])
def test_a_store_that_cannot_be_used_ends_the_start(tmp_path: Path, case: str) -> None:
    """With 2, and one line that says which part is wrong."""
    with wrong(tmp_path, case) as (storage, said):
        ended = serve(tmp_path, storage)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_files_and_objects_are_not_mixed(tmp_path: Path) -> None:
    """A folder that has blobs does not become one whose blobs are elsewhere."""
    blob = tmp_path / "data/blobs/sha256/aa" / ("a" * 64)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"")
    (tmp_path / "data/layout").write_bytes(b"basegate storage 1\n")
    ended = serve(tmp_path, of_moto(tmp_path))
    assert (ended.returncode, "keeps its blobs as files" in ended.stderr) == (2, True)


@pytest.fixture
def new_folder(tmp_path: Path) -> RegistrySettings:
    """Settings of a folder without rows, over a prefix that has a blob."""
    storage = of_moto(tmp_path)
    key = new_location(Digest.of(b"a layer"), 7).key
    place = f"{storage['endpoint']}/{str(storage['url']).removeprefix('s3://')}/{key}"
    httpx.put(place, content=b"a layer").raise_for_status()
    return RegistrySettings.model_validate({"data": tmp_path / "data", "storage": storage})


def test_a_folder_without_rows_does_not_take_blobs(new_folder: RegistrySettings) -> None:
    """It knows none of them, and would collect them as garbage."""
    with ThreadPoolExecutor(1) as pool, pytest.raises(DatabaseMissing, match="holds blobs, and"):
        open_stores_of(new_folder, pool)


def test_who_begins_anew_leaves_blobs_alone(new_folder: RegistrySettings) -> None:
    """They are older than what the rows know."""
    with ThreadPoolExecutor(1) as pool:
        _, rows = open_stores_of(new_folder, pool, new_database=True)
        with closing(rows):
            assert asyncio.run(rows.read(identity)).knows_since > 0


def test_without_a_store_nothing_of_it_is_imported(tmp_path: Path) -> None:
    """One machine starts as before."""
    program = (
        "import sys; from pathlib import Path; from policy.app import build; from policy.settings import Settings; "
        f"build(Settings(data=Path({str(tmp_path / 'data')!r}))).close(); "
        "sys.exit('obstore' in sys.modules or 'registry.storage.objects.store' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_url_without_the_extra_says_what_to_install(tmp_path: Path) -> None:
    """Where obstore is not there."""
    program = (
        "import sys; sys.modules['obstore'] = None; from pathlib import Path; from policy.app import build; "
        "from policy.settings import Settings; "
        f"build(Settings(data=Path({str(tmp_path / 'data')!r}), storage={{'url': 's3://bucket/x'}}))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install 'basegate[cluster]'" in ended.stderr
