"""A registry that holds much, written straight into its databases: what requests look up, not a single layer.

Rows go in through the metadata store and policy.db that basegate itself opens, in few large transactions. The bytes of
manifests and blobs are not there: nothing that is asked of the stock needs them.
"""

import asyncio
import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, insert

from policy.assessment.inspector import CURRENT
from policy.assessment.manifest_verdicts import artifact_subject, image_subject
from policy.assessment.settings import JudgingSettings
from policy.definition.policy import known_policies
from policy.enforcement.conclusion import Conclusion
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.manifests import InspectedManifest
from policy.results.sqlite_store import FILE, SqliteResults
from policy.state import State
from registry.metadata.open_store import open_metadata
from registry.metadata.tables import manifest_references, manifests, repositories, repository_blobs, tags, told_marks
from registry.oci.digest import Digest
from registry.oci.manifest import ImageManifest, parse_manifest
from registry.oci.names import RepositoryName
from tests.bench.attested import Concluded, signing
from tests.bench.images import CONFIG_TYPE, MANIFEST_TYPE, note
from tests.bench.payloads import MEDIA_TYPES, in_hand
from tests.policy.facts_made import conda_fact, image, os_fact, python_fact

LARGE = "large/app"
LARGE_TAGS = 20_000
REFERRERS = 1_000
TEAM = 100
"""Repositories of one team."""
_BATCH = 5_000
_POLICY = known_policies()[JudgingSettings().name]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stock:
    """How much is held: one repository has 20,000 of the tags and a subject of 1,000 referrers."""

    repositories: int
    tags: int

    @property
    def large_tags(self) -> int:
        """Tags of the large repository."""
        return min(LARGE_TAGS, self.tags // 2)

    def name(self, number: int) -> str:
        """A repository's name; the one with number 0 is the large one, and names are in the order of numbers."""
        return f"team-{number // TEAM:05}/app-{number:07}" if number else LARGE

    def tag_count(self, number: int) -> int:
        """How many tags a repository has."""
        if number == 0:
            return self.large_tags
        others = self.repositories - 1
        return (self.tags - self.large_tags) // others + (number <= (self.tags - self.large_tags) % others)


def tag_name(number: int) -> str:
    """A repository's tag."""
    return f"build-{number:07}"


def digest_for(text: str) -> str:
    """The name of content that is not there."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def fill(data: Path, stock: Stock) -> None:
    """Write the stock into a data folder that no server uses."""
    metadata, results = open_metadata(data), SqliteResults(data / FILE)
    try:
        sign = signing(data)
        for numbers in _batches(range(stock.repositories), _BATCH):
            asyncio.run(metadata.write(_add_repositories, stock, numbers))
            asyncio.run(metadata.write(sign, [_concluded(stock, number) for number in numbers]))
            seen = [_subject(number) for number in numbers]
            for state in (State.CLEARED, State.REFUSED):
                results.write(_keep, _POLICY.digest, [each for each in seen if _state(each) is state], state)
        notes = list(_notes())
        asyncio.run(metadata.write(_add_notes, notes))
        results.write(
            _keep,
            _POLICY.digest,
            [artifact_subject(each.digest, each.manifest) for each in notes],
            State.NOT_APPLICABLE,
        )
    finally:
        metadata.close()
        results.close()


def image_digest(number: int) -> str:
    """The one image of a repository."""
    return digest_for(f"image {number}")


def _add_repositories(connection: Connection, stock: Stock, numbers: Sequence[int]) -> None:
    now = time.time()
    rows = [{"id": number + 1, "name": stock.name(number), "created": now} for number in numbers]
    connection.execute(insert(repositories), rows)
    connection.execute(insert(manifests), [_manifest(number, now) for number in numbers])
    connection.execute(insert(told_marks), [_told(number) for number in numbers])
    parts = [part for number in numbers for part in _parts(number)]
    connection.execute(insert(manifest_references), parts)
    linked = [{key: part[key] for key in ("repository_id", "digest", "size")} | {"created": now} for part in parts]
    connection.execute(insert(repository_blobs), linked)
    for some in _batches(_tags(stock, numbers, now), 10 * _BATCH):
        connection.execute(insert(tags), some)


def _manifest(number: int, now: float) -> dict[str, Any]:
    return {
        "id": number + 1,
        "repository_id": number + 1,
        "digest": image_digest(number),
        "media_type": MANIFEST_TYPE,
        "size": 500,
        "artifact_type": "",
        "config_media_type": CONFIG_TYPE,
        "referrer_type": CONFIG_TYPE,
        "subject": None,
        "annotations": {},
        "pushed": now,
        "pushed_by": "",
    }


def _told(number: int) -> dict[str, Any]:
    """Its verdict was told long ago."""
    return {"manifest_id": number + 1, "words": _state(_subject(number)).value, "basis": _POLICY.digest}


def _concluded(stock: Stock, number: int) -> Concluded:
    conclusion = Conclusion(_state(_subject(number)), _POLICY.name, _POLICY.digest)
    return number + 1, RepositoryName(stock.name(number)), Digest(image_digest(number)), conclusion


def _parts(number: int) -> Iterator[dict[str, Any]]:
    for position, (kind, media_type) in enumerate((("config", CONFIG_TYPE), ("layer", MEDIA_TYPES["gzip"]))):
        yield {
            "manifest_id": number + 1,
            "position": position,
            "kind": kind,
            "repository_id": number + 1,
            "digest": digest_for(f"{kind} {number}"),
            "media_type": media_type,
            "size": 10_000_000,
        }


def _tags(stock: Stock, numbers: Sequence[int], now: float) -> Iterator[dict[str, Any]]:
    for number in numbers:
        row = {"repository_id": number + 1, "digest": image_digest(number), "created": now, "updated": now}
        for at in range(stock.tag_count(number)):
            yield row | {"name": tag_name(at)}


@dataclass(frozen=True, slots=True)
class _Note:
    digest: Digest
    size: int
    manifest: ImageManifest


def _notes() -> Iterator[_Note]:
    content, empty = in_hand(b"a note"), in_hand(b"{}")
    for number in range(REFERRERS):
        raw = note((image_digest(0), 500), content, empty, f"{number}")
        parsed = parse_manifest(raw, MANIFEST_TYPE)
        assert isinstance(parsed, ImageManifest)
        yield _Note(Digest.of(raw), len(raw), parsed)


def _add_notes(connection: Connection, notes: Sequence[_Note]) -> None:
    now = time.time()
    rows = [
        {
            "repository_id": 1,
            "digest": found.digest,
            "media_type": MANIFEST_TYPE,
            "size": found.size,
            "artifact_type": found.manifest.artifact_type,
            "config_media_type": found.manifest.config.media_type,
            "referrer_type": found.manifest.referrer_type,
            "subject": image_digest(0),
            "annotations": dict(found.manifest.annotations),
            "pushed": now,
            "pushed_by": "",
        }
        for found in notes
    ]
    connection.execute(insert(manifests), rows)


def _subject(number: int) -> InspectedManifest:
    return replace(_SEEN[number % len(_SEEN)], manifest=image_digest(number))


def _state(seen: InspectedManifest) -> State:
    """What the default policy says of it."""
    return State.REFUSED if _OLD in seen.essence else State.CLEARED


_OLD = "14.04"
"""The release that the default policy refuses: a quarter of the images."""


def _seen() -> Iterator[InspectedManifest]:
    for release in ("16.04", "18.04", "20.04", _OLD):
        for patch in range(10):
            facts = image(os_fact("ubuntu", release), conda_fact(f"4.8.{patch}"), python_fact(f"3.6.{patch}"))
            yield image_subject(digest_for("any"), facts, CURRENT)


_SEEN = tuple(_seen())


def _keep(connection: Connection, policy: str, seen: Sequence[InspectedManifest], state: State) -> None:
    inspected_manifests.save(connection, seen)
    verdicts.save(connection, policy, [(subject.manifest, state) for subject in seen])


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch
