"""Signed verdicts of a stock: what a registry that judged its images while they were pushed has of each."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from policy.attestation.forms import Forms
from policy.attestation.settings import AttestSettings
from policy.attestation.summary import predicate_of, statement_of
from policy.attestation.types import PAYLOAD_TYPE
from policy.enforcement.conclusion import Conclusion
from policy.signing.dsse import sign
from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from registry.metadata import attestations
from registry.metadata.attestations import Signed
from registry.metadata.identity import identity
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

Concluded = tuple[int, RepositoryName, Digest, Conclusion]
"""An image with the id of its row, and what is concluded of it."""


def signing(data: Path) -> Callable[[Connection, Iterable[Concluded]], None]:
    """What writes the signed verdicts of images into a data folder, with its key."""
    ring, settings = KeyRing(data, VERDICT_KEY_FILE), AttestSettings()

    def write(connection: Connection, concluded: Iterable[Concluded]) -> None:
        verifier, now = f"urn:uuid:{identity(connection).id}", time.time()
        rows = []
        for row, repository, digest, conclusion in concluded:
            predicate = predicate_of(repository, digest, conclusion, settings, verifier)
            assert predicate is not None
            attestations.add(connection, row, statement_of(digest, predicate, now), now)
            rows.append(row)
        attestations.sign_all(connection, _signed(connection, ring, rows))

    return write


def _signed(connection: Connection, ring: KeyRing, rows: Iterable[int]) -> Iterator[Signed]:
    key = ring.current
    for row in rows:
        newest = attestations.newest_of(connection, row)
        assert newest is not None
        signature = sign(key, PAYLOAD_TYPE, newest.statement)
        yield Signed(newest.id, key.kid, signature, Forms(replace(newest, key=key.kid, signature=signature)).digests)
