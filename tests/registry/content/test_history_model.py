"""What history keeps, against a model: a manifest stays as long as a tag points at it, or has left it lately."""

import random

import pytest
from sqlalchemy import Connection, select, update

from registry.metadata.tables import manifests, tag_history
from registry.oci.digest import Digest
from registry.oci.names import Tag
from tests.registry.ageing import HOUR, age
from tests.registry.open_services import OpenServices, image

DAY = 24 * HOUR
KEPT_DAYS, YOUNG_DAYS, STEP_DAYS = 3.0, 1.0, 0.4
"""No number of steps is exactly one of the limits."""
IMAGES = {Digest.of(image((content,))): content for content in (b"one", b"two", b"three", b"four")}


class Model:
    """When tags have left images, and when these were pushed; in days of a clock that begins at 0."""

    def __init__(self) -> None:
        self.now = 0.0
        self.points: dict[Tag, Digest] = {}
        self.left: dict[Digest, float] = {}
        self.pushed: dict[Digest, float] = {}

    def push(self, tag: Tag, digest: Digest) -> None:
        """A tag moves, unless it is there."""
        self.pushed[digest] = self.now
        before = self.points.get(tag)
        if before is not None and before != digest:
            self.left[before] = self.now
        self.points[tag] = digest

    def collect(self) -> set[Digest]:
        """What stays."""
        stays = {digest for digest in self.pushed if self._stays(digest)}
        self.pushed = {digest: day for digest, day in self.pushed.items() if digest in stays}
        return stays

    def _stays(self, digest: Digest) -> bool:
        left = self.left.get(digest)
        return (
            digest in self.points.values()
            or self.now - self.pushed[digest] < YOUNG_DAYS
            or (left is not None and self.now - left < KEPT_DAYS)
        )


def _older(connection: Connection) -> None:
    step = STEP_DAYS * DAY
    connection.execute(update(tag_history).values(time=tag_history.c.time - step, until=tag_history.c.until - step))


def _there(connection: Connection) -> set[Digest]:
    return {Digest(digest) for digest in connection.execute(select(manifests.c.digest)).scalars()}


@pytest.mark.parametrize("seed", range(5))
def test_a_collection_leaves_what_the_model_keeps(services: OpenServices, seed: int) -> None:
    """Whatever tags have moved in whatever order, with days in between."""
    services.configure(
        gc={"untagged_after_seconds": int(YOUNG_DAYS * DAY), "grace_seconds": 0}, history={"keep_days": KEPT_DAYS}
    )
    model, chance = Model(), random.Random(seed)  # noqa: S311 - a test's own
    for _ in range(25):
        tag, digest = Tag(chance.choice("ab")), chance.choice(list(IMAGES))
        services.run(services.push_image(tag, (IMAGES[digest],)))
        model.push(tag, digest)
        for _ in range(chance.randrange(4)):
            age(services, STEP_DAYS * DAY)
            services.run(services.metadata.write(_older))
            model.now += STEP_DAYS
        services.run(services.collector.run())
        assert services.run(services.metadata.read(_there)) == model.collect()
