"""The database is lost: what the copy and the files tell is there again, and what is not known is named."""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.content.retention_state import RetentionState, read_state, save_state
from registry.maintenance import copying
from registry.maintenance.copying import NOT_FOLLOWED, copy_rows
from registry.metadata import events, sinks, webhooks
from registry.metadata.copied import DatabaseOutdated, copy_state
from registry.metadata.open_store import DatabaseDamaged
from registry.metadata.schema import SCHEMA
from registry.metadata.webhooks import Webhook
from registry.oci.digest import Digest
from registry.oci.names import Tag
from registry.server.data_lock import DataLock
from tests.registry.ageing import age_file
from tests.registry.open_services import (
    OTHER,
    PUSHER,
    REPOSITORY,
    OpenServices,
    descriptor,
    image,
    index,
    open_services,
)
from tests.repository import Repository
from tests.servers import open_registry

V1, V2 = Tag("v1"), Tag("v2")


def lose(data: Path) -> None:
    """The database and its side files are gone."""
    for path in data.glob("registry.db*"):
        path.unlink()


def rebuild(data: Path, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(basegate, ["rebuild", "--data", str(data), *arguments])


@pytest.fixture
def services(tmp_path: Path) -> Iterator[OpenServices]:
    """A folder with an image, its signature, and a repository beside it."""
    with open_services(tmp_path / "data") as services:
        services.run(services.push_image(V1, [b"one", b"two"]))
        services.run(services.push_manifest(image((), subject=descriptor(image([b"one", b"two"])))))
        services.run(services.push_image(V2, [b"two"], OTHER))
        yield services


def change_nothing(_services: OpenServices) -> None:
    """What there is stays."""


def move_a_tag(services: OpenServices) -> None:
    """To another image."""
    services.run(services.push_image(V1, [b"three"]))


def delete_a_tag(services: OpenServices) -> None:
    """Alone."""
    services.run(services.manifests.delete(REPOSITORY, V1))


def delete_a_manifest(services: OpenServices) -> None:
    """With its tag."""
    services.run(services.manifests.delete(REPOSITORY, Digest.of(image([b"one", b"two"]))))


def delete_a_blob(services: OpenServices) -> None:
    """One that no manifest names."""
    services.run(services.blobs.delete(OTHER, services.run(services.push_blob(b"loose", OTHER))))


def replace_a_repository(services: OpenServices) -> None:
    """It goes, and one of the same name comes."""
    arguments = ["repo", "rm", str(OTHER), "--yes", "--data", str(services.data)]
    assert CliRunner().invoke(basegate, arguments).exit_code == 0
    services.run(services.push_image(V1, [b"new"], OTHER))


def drop_a_repository(services: OpenServices) -> None:
    """It goes for good, and another one comes."""
    arguments = ["repo", "rm", str(OTHER), "--yes", "--data", str(services.data)]
    assert CliRunner().invoke(basegate, arguments).exit_code == 0
    services.run(services.push_image(V1, [b"new"], REPOSITORY))


def lock_a_tag(services: OpenServices) -> None:
    """And unlock it again in part."""
    for reads in (True, False):
        services.run(services.attributes.lock(PUSHER, REPOSITORY, V1, {"deletes": True, "reads": reads}))


def push_a_cache(services: OpenServices) -> None:
    """An index whose child is a blob, as BuildKit writes it."""
    services.run(services.push_blob(b"cached"))
    raw = index(manifests=[descriptor(b"cached", "application/vnd.oci.image.layer.v1.tar+gzip")])
    services.run(services.push_manifest(raw, Tag("cache")))


def make_a_webhook(services: OpenServices) -> None:
    """With its place among the events, and another goes on."""
    made = Webhook("ci", "http://127.0.0.1:1/", ("push",), "", {}, enabled=True, created=1.0)
    services.run(services.metadata.write(webhooks.put, made))
    services.run(services.metadata.write(sinks.begin, "webhook-ci"))


CHANGES = [
    make_a_webhook,
    push_a_cache,
    change_nothing,
    lock_a_tag,
    move_a_tag,
    delete_a_tag,
    delete_a_manifest,
    delete_a_blob,
    replace_a_repository,
    drop_a_repository,
]


def dump(data: Path) -> dict[str, list[str]]:
    """The rows that count."""
    tables = (
        *("repositories", "manifests", "manifest_references", "tags", "locks", "repository_blobs", "principals"),
        *("tag_history", "webhooks", "event_sinks"),
    )
    with open_services(data), closing(sqlite3.connect(data / "registry.db")) as rows:
        return {table: sorted(map(repr, rows.execute(f"SELECT * FROM {table}"))) for table in tables}  # noqa: S608


@pytest.mark.parametrize("change", CHANGES)
def test_the_rows_are_as_they_were(services: OpenServices, change: Callable[[OpenServices], None]) -> None:
    """Copied whole at first, then brought up to date by what has changed: row by row the same."""
    copy_rows(services.data)
    change(services)
    copy_rows(services.data)
    services.close()
    before = dump(services.data)
    lose(services.data)
    assert rebuild(services.data).exit_code == 0
    assert dump(services.data) == before


def test_every_table_is_followed_or_there_is_a_reason() -> None:
    """So that a new one is not left as it was at the first copy."""
    text = Path(copying.__file__).read_text(encoding="utf-8")
    steps = re.findall(r"INTO (?:main\.)?(\w+)", text) + re.findall(r"""\("(\w+)", "\w+", "\w+\.%"\)""", text)
    assert set(SCHEMA.tables) - set(steps) == set(NOT_FOLLOWED)


def test_retention_counts_pulls_from_the_rebuild_on(services: OpenServices) -> None:
    """The copy may lack the last ones."""
    save_state(services.data, RetentionState(pulls_since=1.0, removed=2))
    copy_rows(services.data)
    services.close()
    lose(services.data)
    before = time.time()
    rebuild(services.data)
    state = read_state(services.data)
    assert (state.pulls_since >= before, state.removed) == (True, 2)


def test_no_number_of_an_event_is_given_out_again(services: OpenServices) -> None:
    """What happened after the copy had numbers too, and receivers drop what they know."""
    copy_rows(services.data)
    services.run(services.push_image(V2, [b"one"]))
    _, last = services.metadata.read_now(events.ends)
    services.close()
    lose(services.data)
    assert rebuild(services.data).exit_code == 0
    with open_services(services.data) as fresh:
        fresh.run(fresh.push_image(V2, [b"two"]))
        assert fresh.metadata.read_now(events.ends)[1] > last + 1000


def test_principals_and_a_running_server_s_last_changes_are_kept(tmp_path: Path) -> None:
    """The server brings its copy up to date when it stops."""
    with open_registry(tmp_path) as live, live.client() as client:
        made = CliRunner().invoke(
            basegate, ["principal", "create", "ci", "--role", "AcrPush", "--data", str(tmp_path), "--json"]
        )
        assert made.exit_code == 0
        pushed = Repository(client, "team/app").image("v1")
    lose(tmp_path)
    found = json.loads(rebuild(tmp_path, "--json").output)
    assert found["rows"] == {"repositories": 1, "manifests": 1, "tags": 1, "principals": 1}
    with open_registry(tmp_path) as live, live.client() as client:
        assert Repository(client, "team/app").get("manifests/v1").content == pushed.raw


def test_what_is_not_known_is_named_and_kept(services: OpenServices) -> None:
    """A blob that came after the copy belongs to nobody now: the next collection leaves it alone."""
    copy_rows(services.data)
    services.run(services.push_blob(b"later"))
    services.close()
    lose(services.data)
    result = rebuild(services.data)
    assert "1 blobs belong to no repository" in result.output
    for path in services.data.glob("blobs/*/*/*"):
        age_file(path)
    with open_services(services.data, gc={"grace_seconds": 0}) as again:
        again.run(again.collector.run())
        assert again.run(again.storage.stat(Digest.of(b"later")))


def test_manifests_are_read_from_a_database_that_is_damaged(services: OpenServices) -> None:
    """Those that the copy lacks, as far as they can be read; their tags are not known."""
    copy_rows(services.data)
    services.run(services.push_image(V2, [b"later"]))
    services.close()
    path = services.data / "registry.db"
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 3] = bytes(4096)
    path.write_bytes(content)
    result = json.loads(rebuild(services.data, "--json").output)
    assert result["rows"]["manifests"] >= 3
    assert Path(result["aside"]).exists()


def test_a_missing_file_is_named(services: OpenServices) -> None:
    """Exit code 1: the rows are there, the content is not."""
    copy_rows(services.data)
    services.run(services.journal.settle())
    services.close()
    lose(services.data)
    next(services.data.glob(f"blobs/*/*/{Digest.of(b'one').encoded}")).unlink()
    result = rebuild(services.data)
    assert (result.exit_code, Digest.of(b"one") in result.output) == (1, True)


def test_a_sound_database_is_left_alone(services: OpenServices) -> None:
    """So is a folder of which there is no copy: exit code 2."""
    copy_rows(services.data)
    services.close()
    assert rebuild(services.data).exit_code == 2
    (services.data / "copy" / "rows.db").unlink()
    lose(services.data)
    assert rebuild(services.data).exit_code == 2


def test_a_running_server_is_not_rebuilt_under(tmp_path: Path) -> None:
    """It holds the folder."""
    lock = DataLock(tmp_path)
    assert rebuild(tmp_path).exit_code == 2
    lock.release()


def test_an_older_database_is_refused(services: OpenServices) -> None:
    """One that was put back by hand: its content would seem to be nobody's. --force takes the copy."""
    copy_rows(services.data)
    services.close()
    kept = (services.data / "registry.db").read_bytes()
    with open_services(services.data) as later:
        later.run(later.push_image(V2, [b"later"]))
        copy_rows(services.data)
    (services.data / "registry.db").write_bytes(kept)
    with pytest.raises(DatabaseOutdated, match="older"), open_services(services.data):
        pass
    assert rebuild(services.data, "--force").exit_code == 0
    with open_services(services.data) as again:
        assert again.run(again.tag_names()) == (V1, V2)


def test_another_registry_s_database_is_refused(services: OpenServices, tmp_path: Path) -> None:
    """Sound as it may be."""
    copy_rows(services.data)
    services.close()
    with open_services(tmp_path / "other") as other:
        for number in range(20):
            other.run(other.push_image(Tag(f"v{number}")))
    (services.data / "registry.db").write_bytes((tmp_path / "other" / "registry.db").read_bytes())
    with pytest.raises((DatabaseOutdated, DatabaseDamaged)), open_services(services.data):
        pass


def test_the_copy_of_lost_rows_is_kept_aside(services: OpenServices) -> None:
    """Where rows begin anew, the copy of those before is not overwritten."""
    copy_rows(services.data)
    state = copy_state(services.data / "copy" / "rows.db")
    services.close()
    lose(services.data)
    with open_services(services.data, new_database=True):
        copy_rows(services.data)
    assert state is not None
    assert (services.data / "copy" / f"rows-of-{state.store}.db").exists()
