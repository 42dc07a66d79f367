"""The services of a data folder with the policy's gate in them, for commands; safe beside a running server."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from policy.attestation.attestations import Attestations
from policy.attestation.derived_verdicts import DerivedVerdicts
from policy.attestation.settings import AttestSettings
from policy.attestation.stored_verdicts import StoredVerdicts
from policy.cli.policy import opened_judging
from policy.enforcement.gate import PolicyGate
from policy.settings import attest_section, judging_section
from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.content.blobs import Blobs
from registry.content.derived import DerivedContent
from registry.content.manifests import Manifests
from registry.content.opened_stores import open_stores_of
from registry.content.parsing import Parsing
from registry.content.pull_through import OfflineUpstreams
from registry.content.referrers import ReferrersList
from registry.content.session_log import FILE as SESSIONS
from registry.content.session_log import SessionLog
from registry.content.session_records import OwnSessions
from registry.content.tags import Tags
from registry.content.uploads import Uploads
from registry.metadata.store import RowStore
from registry.storage.blob_store import BlobStore
from registry.storage.disk.ownership import act_as_owner
from registry.transfer.repository import Shelf


@dataclass(frozen=True, slots=True)
class FolderServices:
    """What a transfer needs of a data folder.

    Attributes:
        shelf: the services.
        gate: in them.
        metadata: the rows.
    """

    shelf: Shelf
    gate: PolicyGate
    metadata: RowStore


@contextmanager
def folder_services(data: Path, settings: RegistrySettings) -> Iterator[FolderServices]:
    """Open a data folder until the block ends.

    Small blobs do not wait in the journal: it is the server that makes their files durable later.

    Raises:
        NoRegistry: there is none.
    """
    group = settings.storage
    with opened_judging(settings) as judging, ThreadPoolExecutor(group.threads) as pool:
        act_as_owner(data)
        storage, metadata = open_stores_of(settings, pool)
        gate = PolicyGate(storage, metadata, judging.results, judging.orders, judging_section(settings))
        in_force = SettingsInForce(settings)
        parsing = Parsing(in_force)
        sessions = SessionLog(data / SESSIONS, settings.uploads.outcomes)
        try:
            derived = _signed_verdicts(data, storage, metadata, gate, attest_section(settings))
            shelf = Shelf(
                Blobs(storage, metadata, gate, in_force, derived),
                Uploads(storage, metadata, gate, in_force, None, OwnSessions(storage, sessions)),
                Manifests(storage, metadata, gate, in_force, parsing, derived, OfflineUpstreams(settings.upstreams)),
                Tags(metadata, in_force),
                ReferrersList(metadata, in_force, gate, derived),
            )
            yield FolderServices(shelf, gate, metadata)
        finally:
            sessions.close()
            parsing.close()
            gate.close()
            metadata.close()


def _signed_verdicts(
    data: Path, storage: BlobStore, metadata: RowStore, gate: PolicyGate, settings: AttestSettings
) -> DerivedContent:
    """Verdicts are recorded with a push and go along with what is exported, as at a server."""
    attestations = Attestations(metadata, gate, KeyRing(data, VERDICT_KEY_FILE), lambda: settings, time.time)
    gate.alongside = attestations.alongside
    stored = StoredVerdicts(storage, metadata, lambda: settings)
    return DerivedVerdicts(attestations, storage, metadata, stored, lambda: settings)
