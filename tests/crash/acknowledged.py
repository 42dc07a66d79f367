"""What a registry has acknowledged, and asking it for all of that again.

For each blob, manifest and tag of a repository the values that it may have: one after an acknowledgement, two while a
request is on its way or after one that was cut off or refused.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from policy.attestation.types import BUNDLE_TYPE
from registry.oci.digest import Digest
from tests.crash.wire import Answer, Wire

# "blob", "manifest" or "tag", the repository, and the digest or the tag; or "principal", "", and its name; or "secret",
# the name of its principal, and the secret.
Key = tuple[str, str, str]
# The digest of what is there, or what a principal is, or the secret that is good; "" when nothing is.
Value = str
NOTHING = ""


@dataclass
class Findings:
    """What was seen of one registry.

    Attributes:
        checked: acknowledged operations that were asked for after a fault, each counted once.
        lost: acknowledged values that were not there.
        wrong: answers whose bytes are not those of their digest.
        manual: what a person would have to do something about.
        other: whatever else is not as promised: refusals, silence, tracebacks.
    """

    checked: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    manual: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """Everything that is not as promised."""
        named = (("lost", self.lost), ("wrong bytes", self.wrong), ("manual step", self.manual), ("other", self.other))
        return [f"{name}: {text}" for name, texts in named for text in texts]


class Acknowledged:
    """The values of one registry. Requests of several threads may be on their way."""

    def __init__(self) -> None:
        self.allowed: dict[Key, set[Value]] = {}
        self.manifests: dict[str, dict[str, Any]] = {}
        self._unchecked = 0
        self._collecting = False
        self._lock = threading.Lock()

    def copy(self) -> "Acknowledged":
        """The same, for a copy of the registry."""
        made = Acknowledged()
        made.allowed = {key: set(values) for key, values in self.allowed.items()}
        made.manifests = dict(self.manifests)
        return made

    def manifest(self, raw: bytes) -> str:
        """Know what a manifest consists of; its digest."""
        digest = str(Digest.of(raw))
        self.manifests[digest] = json.loads(raw)
        return digest

    def begin(self, changes: dict[Key, Value]) -> None:
        """A request is on its way that changes these."""
        with self._lock:
            for key, value in changes.items():
                self.allowed.setdefault(key, {NOTHING}).add(value)

    def done(self, changes: dict[Key, Value]) -> None:
        """It was acknowledged."""
        with self._lock:
            for key, value in changes.items():
                self.allowed[key] = {value, NOTHING} if self._collecting and key[0] == "blob" else {value}
            self._unchecked += 1

    def is_there(self, key: Key) -> bool:
        """Whether there is something for certain."""
        return NOTHING not in self.allowed.get(key, {NOTHING})

    def certain(self, kind: str, repository: str = "") -> list[Key]:
        """What is there for certain."""
        with self._lock:
            keys = list(self.allowed)
        return [key for key in keys if key[0] == kind and repository in {"", key[1]} and self.is_there(key)]

    def tags_of(self, repository: str, digest: str) -> list[Key]:
        """Tags that may point to a manifest."""
        with self._lock:
            found = list(self.allowed.items())
        return [key for key, values in found if key[:2] == ("tag", repository) and digest in values]

    def parts(self, repository: str, digest: str) -> list[Key]:
        """What an image manifest consists of."""
        document = self.manifests.get(digest, {})
        blobs = [document["config"], *document["layers"]] if "layers" in document else []
        return [("blob", repository, blob["digest"]) for blob in blobs]

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """A collection without mercy for the young goes on: blobs that no manifest needs may go."""
        self._collecting = True
        try:
            self._loosen()
            yield
        finally:
            self._loosen()
            self._collecting = False

    def _loosen(self) -> None:
        held = {part for key in self.certain("manifest") for part in self.parts(key[1], key[2])}
        with self._lock:
            for key, values in self.allowed.items():
                if key[0] == "blob" and key not in held:
                    values.add(NOTHING)

    def check(self, wire: Wire, principals: dict[str, str], found: Findings) -> None:
        """Ask for everything; what is seen is what counts from now on.

        Args:
            wire: to the server.
            principals: names and what they are, `enabled` or `disabled`.
            found: where it is written down.
        """
        for key, values in sorted(self.allowed.items()):
            value = principals.get(key[2], NOTHING) if key[0] == "principal" else _seen(wire, key, found)
            if value not in values:
                found.lost.append(f"{' '.join(key)} is {value or 'nothing'}, not {' or '.join(sorted(values))!r}")
            self.allowed[key] = {value}
            if key[0] == "secret" and not value:
                del self.allowed[key]  # whoever tries it again and again is throttled
        # An image is whole or it is not there, also where its blobs alone might have gone.
        found.lost.extend(self._missing_parts())
        found.lost.extend(self._missing_referrers(wire))
        found.checked += self._unchecked
        self._unchecked = 0

    def _missing_parts(self) -> Iterator[str]:
        for key in self.certain("manifest"):
            for part in self.parts(key[1], key[2]):
                if not self.is_there(part):
                    yield f"{' '.join(part)}, of manifest {key[2]}"
        for key in self.certain("tag"):
            (digest,) = self.allowed[key]
            if not self.is_there(("manifest", key[1], digest)):
                yield f"manifest {digest} of tag {key[1]}:{key[2]}"

    def _missing_referrers(self, wire: Wire) -> Iterator[str]:
        for subject, wanted in self._referrers().items():
            answer = wire.ask("GET", f"/v2/{subject[0]}/referrers/{subject[1]}")
            entries = json.loads(answer.body or b"{}").get("manifests", ())
            listed = {item["digest"] for item in entries if item.get("artifactType") != BUNDLE_TYPE}
            if listed != wanted:
                yield f"referrers of {subject[1]}: {sorted(listed)}, not {sorted(wanted)}"

    def _referrers(self) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for kind, repository, digest in self.allowed:
            subject = self.manifests.get(digest, {}).get("subject")
            if kind == "manifest" and subject:
                there = self.is_there((kind, repository, digest))
                found.setdefault((repository, subject["digest"]), set()).update({digest} if there else ())
        return found


def _seen(wire: Wire, key: Key, found: Findings) -> Value:
    kind, repository, reference = key
    if kind == "secret":
        return _signs_in(wire, repository, reference, found)
    place = "blobs" if kind == "blob" else "manifests"
    answer = wire.ask("GET", f"/v2/{repository}/{place}/{reference}", Accept="*/*")
    if answer.status == 200:
        return _sound(answer, key, found)
    if answer.status != 404:
        found.other.append(f"GET of {' '.join(key)}: {answer.status} {answer.body[:200]!r}")
    return NOTHING


def _sound(answer: Answer, key: Key, found: Findings) -> Value:
    digest = str(Digest.of(answer.body))
    named = answer.fields.get("docker-content-digest", "")
    if named != digest or (key[0] != "tag" and key[2] != digest):
        found.wrong.append(f"{' '.join(key)}: bytes of {digest} as {named}")
    return digest


def _signs_in(wire: Wire, name: str, secret: str, found: Findings) -> Value:
    token = base64.b64encode(f"{name}:{secret}".encode()).decode()
    status = wire.ask("GET", "/v2/", Authorization=f"Basic {token}").status
    if status not in {200, 401}:
        found.other.append(f"sign-in of {name}: {status}")
    return secret if status == 200 else NOTHING
