"""Rows in PostgreSQL and blobs in an object store are those of one registry: another's prefix is not taken."""

from pathlib import Path
from typing import Any

import pytest

from registry.app import build
from registry.config.storage import StorageSettings
from registry.content.opened_rows import RowsUnusable
from registry.storage.objects.address import parse_store_url
from registry.storage.objects.connecting import connect
from tests.postgres import PostgresServer
from tests.registry.storage.object_servers import moto, names_in
from tests.registry.storage.toxic_store import toxic
from tests.repository import Repository
from tests.servers import open_registry, open_settings

Groups = dict[str, dict[str, Any]]


@pytest.fixture(name="groups")
def _groups(postgres: PostgresServer, tmp_path: Path) -> Groups:
    """Settings of a registry that has a blob."""
    groups: Groups = {"metadata": postgres.settings(), "storage": moto().settings(tmp_path)}
    with open_registry(tmp_path / "first", **groups) as live, live.client() as client:
        Repository(client, "team/app").blob(b"content")
    return groups


def start(data: Path, groups: Groups, **more: Any) -> None:
    """Start over a folder, and stop."""
    build(open_settings(data, **groups), **more).close()


def names(groups: Groups) -> list[str]:
    """The objects at the prefix."""
    return names_in(StorageSettings.model_validate(groups["storage"]))


def test_another_node_joins(groups: Groups, tmp_path: Path) -> None:
    """With the same two."""
    start(tmp_path / "second", groups)
    assert "registry.json" in names(groups)


def test_an_empty_prefix_is_not_joined(groups: Groups, tmp_path: Path) -> None:
    """As where its name is misspelt: what is pushed there, nobody else has. It stays empty, and so does the folder."""
    wrong: Groups = {**groups, "storage": moto().settings(tmp_path)}
    for _ in range(2):
        with pytest.raises(RowsUnusable, match=r"storage\.url has no blobs"):
            start(tmp_path / "second", wrong)
    assert names(wrong) == ["basegate.json"]
    assert not (tmp_path / "second/rows.json").exists()


def test_the_prefix_of_another_registry_is_not_joined(groups: Groups, postgres: PostgresServer, tmp_path: Path) -> None:
    """Although it has blobs, and whatever is asked."""
    other: Groups = {"metadata": postgres.settings(), "storage": moto().settings(tmp_path)}
    start(tmp_path / "other", other)
    for new_database in (False, True):
        with pytest.raises(RowsUnusable, match="blobs of another registry"):
            start(tmp_path / "second", {**groups, "storage": other["storage"]}, new_database=new_database)


def test_a_prefix_of_before_is_named(groups: Groups, tmp_path: Path) -> None:
    """One that no registry was named at, but has blobs."""
    _remove_name(groups)
    start(tmp_path / "first", groups)
    assert "registry.json" in names(groups)


def test_a_new_database_takes_a_prefix_on_request(groups: Groups, postgres: PostgresServer, tmp_path: Path) -> None:
    """And then it is that of the new one."""
    new = {**groups, "metadata": postgres.settings()}
    start(tmp_path / "first", new, new_database=True)
    start(tmp_path / "first", new)
    with pytest.raises(RowsUnusable, match="blobs of another registry"):
        start(tmp_path / "second", groups)


def test_a_start_asks_once_whose_prefix_it_is(groups: Groups, tmp_path: Path) -> None:
    """Of a store that may be far away."""
    with toxic(moto().endpoint) as store:
        start(tmp_path / "first", {**groups, "storage": {**groups["storage"], "endpoint": store.endpoint}})
        assert [request.partition(" ")[0] for request in store.requests if "registry.json" in request] == ["GET"]


def _remove_name(groups: Groups) -> None:
    """As a basegate of before left the prefix."""
    settings = StorageSettings.model_validate(groups["storage"])
    connect(parse_store_url(settings.url), settings).delete("registry.json")
