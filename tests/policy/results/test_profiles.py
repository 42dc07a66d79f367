"""Profiles: what many manifests share, kept with each of them; and a policy.db of before they were."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, delete

from policy.definition.policy import known_policies
from policy.inspection.worker.job import Inspected
from policy.results import layers as inspected_layers
from policy.results import manifests as inspected_manifests
from policy.results import profiles, tables
from policy.results.manifests import InspectedManifest, Kind
from policy.results.sqlite_store import SqliteResults
from policy.results.store import ResultStore
from policy.search.conditions import read_condition
from policy.search.profile_facts import ProfileFacts

ESSENCE = '{"judged":{"os":[{"id":"ubuntu","version":"%s"}]},"problems":false}'


def seen(number: int, version: str = "18.04") -> InspectedManifest:
    """An inspected image."""
    essence = ESSENCE % version
    return InspectedManifest(
        f"sha256:{number}", Kind.IMAGE, "a@1", essence, final=True, body=b"{}", platform="linux/amd64"
    )


def begin_anew(connection: Connection) -> None:
    """Forget all profiles, and which ids they had."""
    connection.execute(delete(tables.profiles))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DELETE FROM sqlite_sequence")
    else:
        connection.exec_driver_sql("TRUNCATE profiles RESTART IDENTITY")


def test_manifests_share_a_profile(results: ResultStore) -> None:
    """A hundred alike have one; one that is put otherwise later has another."""
    results.write(inspected_manifests.save, [seen(number) for number in range(100)])
    results.write(inspected_manifests.save, [seen(7, "20.04")])
    known = results.read(profiles.of, [f"sha256:{number}" for number in range(101)])
    assert len(known) == 100
    assert (
        {known["sha256:7"]} != {known["sha256:8"]} == {profile for name, profile in known.items() if name != "sha256:7"}
    )


def test_what_is_forgotten_has_none(results: ResultStore) -> None:
    """As it is inspected again."""
    results.write(inspected_manifests.save, [seen(1)])
    results.write(inspected_manifests.forget, "sha256:1")
    assert results.read(profiles.of, ["sha256:1"]) == {}


def test_a_file_of_before_keeps_its_inspections(tmp_path: Path) -> None:
    """Manifests and verdicts are made of them again; layers are not opened for that."""
    path = tmp_path / "policy.db"
    with closing(SqliteResults(path)) as results:
        results.write(inspected_layers.save, "sha256:l", "a@1", Inspected(b"found", "", 10))
        results.write(inspected_manifests.save, [seen(1)])
    with closing(sqlite3.connect(path)) as older:
        older.executescript("DROP TABLE profiled; DROP TABLE profiles; PRAGMA user_version=2")
    with closing(SqliteResults(path)) as results:
        assert results.read(inspected_layers.find, "sha256:l", "a@1") == Inspected(b"found", "", 0)
        assert results.read(inspected_manifests.find, "sha256:1", "a@1") is None
        results.write(inspected_manifests.save, [seen(1)])
        assert len(results.read(profiles.of, ["sha256:1"])) == 1


def test_profiles_of_results_that_were_begun_anew(results: ResultStore) -> None:
    """The same ids mean something else then."""
    condition = read_condition("os.version=18.04")
    facts = ProfileFacts(results)
    results.write(inspected_manifests.save, [seen(1), seen(2, "20.04")])
    assert len(facts.matching([condition])) == 1
    results.write(begin_anew)
    results.write(inspected_manifests.save, [seen(3, "14.04"), seen(4, "16.04"), seen(5, "16.10")])
    assert facts.matching([condition]) == set()


def test_memory_is_bounded(results: ResultStore) -> None:
    """What is not held is read again, and the answers are the same."""
    policy = known_policies()["azureml-2019-07"]
    results.write(inspected_manifests.save, [seen(number, f"{number}.04") for number in range(100)])
    roomy, small = ProfileFacts(results), ProfileFacts(results, held_bytes=3 * len(ESSENCE))
    for condition in ("os.version=18.04", "os.version<50"):
        assert roomy.matching([read_condition(condition)]) == small.matching([read_condition(condition)]) != set()
    known = results.read(profiles.of, [f"sha256:{number}" for number in range(100)]).values()
    for ask in (roomy.facts, roomy.kind), (small.facts, small.kind):
        assert {ask[0](each)["os.version"] for each in known} == {(f"{number}.04",) for number in range(100)}
        assert {ask[1](each) for each in known} == {Kind.IMAGE}
    assert [roomy.state(each, policy) for each in known] == [small.state(each, policy) for each in known]
    assert small.held <= 3 < roomy.held == 100
