"""Images with random facts, tags and pulls, written straight into the stores; and a search that reads them all."""

import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from policy.assessment.manifest_verdicts import image_subject, state_of_essence
from policy.definition.policy import DEFAULT, known_policies
from policy.inspection.facts import ImageFacts
from policy.results import manifests as inspected_manifests
from policy.results.manifests import InspectedManifest, Kind
from policy.search.conditions import FACTS, OF_CONTENT, OPERATORS, Condition
from registry.metadata import last_pulls, transactions
from registry.metadata.last_pulls import Pull
from registry.metadata.transactions import ChangeContext, ManifestChange
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.manifest import parse_manifest
from registry.oci.names import RepositoryName, Tag
from tests.policy.facts_made import conda_fact, image, os_fact, python_fact, shell_fact
from tests.policy.lab import Lab

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
NOW = time.time()
DAY = 86400.0
SYSTEMS = (("ubuntu", "14.04"), ("ubuntu", "16.04"), ("ubuntu", "18.04"), ("debian", "10"), ("debian", "12"))
CONDAS = ("4.3.31", "4.5", "4.5.12", "4.10.1", "")
PYTHONS = ("2.7.18", "3.5.6", "3.6.8", "3.7.0rc1", "3.10.4", "")
PLATFORMS = ("linux/amd64", "linux/arm64", "")
REPOSITORIES = tuple(RepositoryName(f"{team}/app-{number}") for team in ("red", "blue") for number in range(4))
TAGS = ("v1", "v2", "latest", "nightly-1", "nightly-2")


@dataclass(frozen=True, slots=True)
class Made:
    """One image of one repository, as it was made."""

    repository: RepositoryName
    digest: Digest
    values: dict[str, tuple[str, ...]]
    state: str
    size: int
    pushed: float
    pulled: float
    tags: dict[str, float]
    layers: tuple[str, ...]

    def meets(self, conditions: Iterable[Condition]) -> bool:
        """Whether it meets all of them, read anew."""
        asked = list(conditions)
        of_tags = [each for each in asked if each.fact in {"tag", "tag.age"} and each.operator != "!="]
        one = not of_tags or any(
            all(self._of_tag(each, name, moved) for each in of_tags) for name, moved in self.tags.items()
        )
        return one and all(self._holds(each) for each in asked if each not in of_tags)

    def _of_tag(self, condition: Condition, name: str, moved: float) -> bool:
        return condition.holds((name,)) if condition.fact == "tag" else compared(NOW - moved, condition)

    def _holds(self, condition: Condition) -> bool:
        numbers = {
            "size": float(self.size),
            "pushed": self.pushed,
            "pushed.age": NOW - self.pushed,
            "pulled": self.pulled,
            "pulled.age": NOW - self.pulled,
        }
        words = {
            "verdict": (self.state,),
            "repository": (self.repository,),
            "policy": (DEFAULT,),
            "tagged": ("yes" if self.tags else "no",),
            "layer": self.layers,
            "tag": tuple(self.tags),
            **self.values,
        }
        if condition.fact in OF_CONTENT - {"kind"} and len(self.values) < 2:
            return False  # nothing is known of it yet
        if condition.fact in numbers:
            return compared(numbers[condition.fact], condition)
        return condition.holds(words.get(condition.fact, ()))


def compared(value: float, condition: Condition) -> bool:
    """Whether a number stands to that of the condition as it says."""
    wanted = condition.number
    signs = {"<": value < wanted, "<=": value <= wanted, ">": value > wanted, ">=": value >= wanted}
    return signs.get(condition.operator, value == wanted)


def fill(lab: Lab, count: int, chance: random.Random) -> list[Made]:
    """So many images, some of them in several repositories."""
    made: list[Made] = []
    for number in range(count):
        facts = random_facts(chance)
        layers = tuple(Digest.of(f"layer {chance.randrange(6)}".encode()) for _ in range(chance.randrange(1, 3)))
        raw = manifest(number, layers, chance.randrange(1, 5_000_000))
        digest = Digest.of(raw)
        if chance.random() < 0.9:
            platform = chance.choice(PLATFORMS)
            seen = inspected(digest, facts, platform)
            lab.results.write(inspected_manifests.save, [seen])
        else:
            seen = None
        for repository in chance.sample(REPOSITORIES, chance.choice((1, 1, 2))):
            made.append(put(lab, repository, raw, seen, chance))  # noqa: PERF401 - each is a change
    return made


def random_facts(chance: random.Random) -> ImageFacts:
    """A system, and perhaps a Conda and a Python or two."""
    conda, python, other = chance.choice(CONDAS), chance.choice(PYTHONS), chance.choice(("", *PYTHONS))
    found = [os_fact(*chance.choice(SYSTEMS)), shell_fact()]
    found += [conda_fact(conda)] if conda else []
    found += [python_fact(each) for each in dict.fromkeys((python, other)) if each]
    return image(*found)


def inspected(digest: Digest, facts: ImageFacts, platform: str) -> InspectedManifest:
    """As the inspector leaves it."""
    return replace(image_subject(digest, facts, "made@1"), platform=platform)


def manifest(number: int, layers: Sequence[str], size: int) -> bytes:
    """The manifest of an image that differs from all others."""
    config = {"mediaType": media_types.OCI_CONFIG, "digest": Digest.of(f"config {number}".encode()), "size": size}
    parts = [
        {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": each, "size": 1000} for each in layers
    ]
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": config, "layers": parts}
    return json.dumps(document).encode()


def put(
    lab: Lab, repository: RepositoryName, raw: bytes, seen: InspectedManifest | None, chance: random.Random
) -> Made:
    """Record a manifest with its blobs, tags and perhaps a pull."""
    parsed = parse_manifest(raw, media_types.OCI_MANIFEST)
    digest, pushed = Digest.of(raw), NOW - chance.randrange(200) * DAY
    parts = (parsed.config, *parsed.layers)  # type: ignore[union-attr]
    at = ChangeContext(repository, "", pushed)
    for part in parts:
        lab.run(lab.metadata.write(transactions.take_blob, at, part.digest, part.size, lambda: True))
    tags: dict[str, float] = {}
    blobs = tuple({part.digest for part in parts})
    plain = ManifestChange(digest, raw, parsed, (), blobs, (), ())
    lab.run(lab.metadata.write(transactions.record_manifest, at, plain))
    for name in chance.sample(TAGS, chance.randrange(3)):
        moved = NOW - chance.randrange(200) * DAY
        change = replace(plain, tags=(Tag(f"{name}-{digest[-4:]}"),))
        lab.run(lab.metadata.write(transactions.record_manifest, ChangeContext(repository, "", moved), change))
        tags[f"{name}-{digest[-4:]}"], pushed = moved, moved
    pulled = 0.0
    if chance.random() < 0.5:
        pulled = NOW - chance.randrange(200) * DAY
        lab.run(lab.metadata.write(last_pulls.note, [Pull(repository, digest, "", pulled)]))
    size = len(raw) + sum(part.size for part in parts)
    layers = tuple(part.digest for part in parts[1:])
    return Made(repository, digest, values_of(seen), state_of(seen), size, pushed, pulled, tags, layers)


def state_of(seen: InspectedManifest | None) -> str:
    """What the default policy says of it."""
    if seen is None:
        return "pending"
    return state_of_essence(Kind.IMAGE, seen.essence, known_policies()[DEFAULT]).value


def values_of(seen: InspectedManifest | None) -> dict[str, tuple[str, ...]]:
    """Its facts by the names that a search has for them; of what was not inspected only the kind."""
    if seen is None:
        return {"kind": ("image",)}
    judged = json.loads(seen.essence)["judged"]

    def every(subject: str, member: str) -> tuple[str, ...]:
        return tuple(fact[member] for fact in judged.get(subject, []) if member in fact)

    return {
        "os.name": every("os", "id"),
        "os.version": every("os", "version"),
        "conda": every("conda", "version"),
        "python": every("python", "version"),
        "platform": (seen.platform,) if seen.platform else (),
        "problems": ("no",),
        "kind": ("image",),
    }


def random_conditions(chance: random.Random) -> Iterator[str]:
    """Some conditions, most of which something meets."""
    choices = {
        "os.name": ("ubuntu", "debian", "alpine"),
        "os.version": ("14.04", "16.04", "17", "18.04.0", "10"),
        "conda": ("4.5.0", "4.5.12", "4.10", "5"),
        "python": ("3.6.8", "3.7", "3.10", "2.7.18"),
        "platform": ("linux/amd64", "linux/arm64"),
        "verdict": ("refused", "cleared", "pending", "inconclusive"),
        "repository": ("red/app-1", "blue/app-3", "nobody/here"),
        "tag": ("v1-0000", "latest-ffff"),
        "tag.age": ("30d", "100d"),
        "tagged": ("yes", "no"),
        "size": ("1MB", "3MB"),
        "pushed.age": ("30d", "100d"),
        "pulled.age": ("30d", "100d"),
        "pulled": ("never", "2020-01-01"),
        "layer": tuple(Digest.of(f"layer {number}".encode()) for number in range(7)),
        "problems": ("yes", "no"),
        "kind": ("image", "index"),
    }
    for fact in chance.sample(sorted(choices), chance.choice((1, 1, 2, 3))):
        operator = chance.choice(OPERATORS[FACTS[fact].form])
        value = chance.choice(choices[fact])
        if operator == "~":
            value = chance.choice(("*", f"{value[:2]}*", "*1*"))
        yield f"{fact}{operator}{value}"
