"""What every gate promises the registry (`registry.gate.Gate`), shown on each of them."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry.gate import Decision, Gate, OpenGate, Push
from registry.oci.digest import Digest
from registry.oci.manifest import parse_manifest
from registry.oci.names import Tag
from registry.storage.blob_store import BlobStore, Opening, Staging
from registry.storage.disk.store import DiskStore
from registry.storage.memory.store import MemoryStore
from tests.policy.images_made import MadeImage, bad, good, noise
from tests.policy.lab import READER, TEAM, open_lab
from tests.registry.open_services import PUSHER, open_services

GOOD, BAD = good(), bad()
LAYERS = [Digest.of(layer) for layer in BAD.layers]
LAYER_BYTES = BAD.layers[-1] + noise(200_000)
UNKNOWN = Digest.of(b"nobody ever pushed this")


@dataclass(frozen=True, slots=True)
class Guarded:
    """A registry with a gate, and two images in it: one that any policy of today lets through, and one that not."""

    gate: Gate
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    def ask(self, question: Coroutine[Any, Any, Decision]) -> Decision:
        """One answer."""
        decision: Decision = self.run(question)
        return decision


@contextmanager
def without_policy(data: Path) -> Iterator[Guarded]:
    """The registry alone."""
    gate = OpenGate()
    with open_services(data, gate) as services:
        for made, tag in ((GOOD, "good"), (BAD, "bad")):
            for content in made.blobs:
                services.run(services.push_blob(content, TEAM))
            services.run(services.push_manifest(made.manifest, Tag(tag), TEAM))
        yield Guarded(gate, services.run)


@contextmanager
def with_policy(data: Path) -> Iterator[Guarded]:
    """The same with the policy that ships."""
    with open_lab(data) as lab:
        for made, tag in ((GOOD, "good"), (BAD, "bad")):
            lab.pushed(made, Tag(tag))
        yield Guarded(lab.gate, lab.run)


@pytest.fixture(scope="module", params=[without_policy, with_policy], ids=["OpenGate", "PolicyGate"])
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Each gate in turn."""
    opened: Callable[[Path], AbstractContextManager[Guarded]] = request.param
    with opened(tmp_path_factory.mktemp("gate")) as found:
        yield found


def pushed(made: MadeImage) -> Push:
    """A push of an image."""
    manifest = parse_manifest(made.manifest, "")
    return Push(TEAM, Digest.of(made.manifest), manifest, made.manifest, (Tag("new"),), PUSHER)


def manifest_of(made: MadeImage) -> Digest:
    """The digest of an image's manifest."""
    return Digest.of(made.manifest)


def decisions(guarded: Guarded) -> list[Decision]:
    """Every kind of answer there is."""
    gate, tag = guarded.gate, Tag("bad")
    questions = [gate.before_push(pushed(made)) for made in (GOOD, BAD)]
    questions += [gate.before_manifest_pull(READER, TEAM, manifest_of(made), None) for made in (GOOD, BAD)]
    questions += [gate.before_manifest_pull(READER, TEAM, digest, tag) for digest in (manifest_of(BAD), UNKNOWN)]
    questions += [gate.before_blob_pull(READER, TEAM, digest) for digest in (*LAYERS, UNKNOWN)]
    return [guarded.ask(question) for question in questions]


def test_a_refusal_has_its_whole_reason(guarded: Guarded) -> None:
    """A message for a person, and a detail that is JSON."""
    for decision in decisions(guarded):
        assert bool(decision.message) is not decision.allowed
        assert json.loads(json.dumps(decision.detail)) == decision.detail


def test_warnings_are_texts_for_one_header_each(guarded: Guarded) -> None:
    """Without a line break, which a header cannot have."""
    texts = [text for decision in decisions(guarded) for text in decision.warnings]
    assert all(text and "\n" not in text for text in texts)


def test_a_sound_image_is_pushed_and_pulled(guarded: Guarded) -> None:
    """By its digest, by its tag, and each of its blobs."""
    gate, digest = guarded.gate, manifest_of(GOOD)
    assert guarded.ask(gate.before_push(pushed(GOOD))).allowed
    assert guarded.ask(gate.before_manifest_pull(READER, TEAM, digest, None)).allowed
    assert guarded.ask(gate.before_manifest_pull(READER, TEAM, digest, Tag("good"))).allowed
    assert all(guarded.ask(gate.before_blob_pull(READER, TEAM, Digest.of(blob))).allowed for blob in GOOD.blobs)


def test_whoever_may_push_may_look(guarded: Guarded) -> None:
    """At all that is there: otherwise nobody could find out what is wrong with it."""
    gate = guarded.gate
    assert guarded.ask(gate.before_manifest_pull(PUSHER, TEAM, manifest_of(BAD), None)).allowed
    assert all(guarded.ask(gate.before_blob_pull(PUSHER, TEAM, layer)).allowed for layer in LAYERS)


def test_a_list_is_answered_as_each_of_it(guarded: Guarded) -> None:
    """What is withheld of a list is what may not be pulled by itself."""
    gate, digests = guarded.gate, [manifest_of(GOOD), manifest_of(BAD)]
    alone = {
        digest for digest in digests if not guarded.ask(gate.before_manifest_pull(READER, TEAM, digest, None)).allowed
    }
    assert set(guarded.run(gate.withheld(READER, TEAM, digests))) == alone


def test_of_nothing_nothing_is_withheld(guarded: Guarded) -> None:
    """An empty list is a question too."""
    assert list(guarded.run(guarded.gate.withheld(READER, TEAM, []))) == []


def test_what_is_withheld_was_asked_for(guarded: Guarded) -> None:
    """Also where nothing is known of a manifest."""
    assert set(guarded.run(guarded.gate.withheld(READER, TEAM, [UNKNOWN]))) <= {UNKNOWN}


def test_the_same_question_gets_the_same_answer(guarded: Guarded) -> None:
    """As long as nothing has changed, which the generation tells."""
    before = guarded.gate.generation()
    assert decisions(guarded) == decisions(guarded)
    assert guarded.gate.generation() == before


def test_many_can_ask_at_a_time(guarded: Guarded) -> None:
    """And hear what each would hear alone."""
    gate, digest = guarded.gate, manifest_of(BAD)

    async def scenario() -> None:
        manifests = [gate.before_manifest_pull(READER, TEAM, digest, None) for _ in range(20)]
        blobs = [gate.before_blob_pull(READER, TEAM, layer) for layer in LAYERS * 10]
        assert len({answer.allowed for answer in await asyncio.gather(*manifests)}) == 1
        answers = await asyncio.gather(*blobs)
        assert [answer.allowed for answer in answers] == [answer.allowed for answer in answers[: len(LAYERS)]] * 10

    guarded.run(scenario())


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    """Where bytes arrive: in files, or not."""
    with ThreadPoolExecutor(2) as pool:
        yield DiskStore(tmp_path, pool) if request.param == "disk" else MemoryStore()


def staging_in(store: BlobStore) -> Staging:
    """An upload that begins."""
    return asyncio.run(store.stage(str(uuid.uuid4()), Opening(TEAM, "sha256", PUSHER.id, time.time())))


@pytest.mark.parametrize("content", [b"", b"{}", noise(300_000), GOOD.layers[0] + noise(300_000)])
def test_an_upload_may_be_followed_to_its_end(guarded: Guarded, store: BlobStore, content: bytes) -> None:
    """Whatever comes, wherever it is kept: what is told is taken, at once and without an error."""
    staging = staging_in(store)
    arrival = guarded.gate.arriving(TEAM, staging)
    staging.write(content)
    wants_more = arrival is not None and arrival.wrote(staging.size)
    asyncio.run(staging.commit(digest := Digest.of(content)))
    if arrival is not None:
        assert wants_more in {True, False}
        arrival.committed(digest, len(content))


def test_an_upload_may_come_to_nothing(guarded: Guarded, store: BlobStore) -> None:
    """Also before its first byte, and after its bytes have gone."""
    for content in (b"", LAYER_BYTES):
        staging = staging_in(store)
        arrival = guarded.gate.arriving(TEAM, staging)
        staging.write(content)
        asyncio.run(staging.abort())
        if arrival is not None:
            arrival.wrote(len(content))
            arrival.aborted()
