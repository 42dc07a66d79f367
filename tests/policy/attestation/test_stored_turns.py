"""Others have their turn while stored verdicts are looked at."""

import asyncio
from pathlib import Path

from policy.attestation.settings import AttestSettings
from policy.attestation.stored_verdicts import StoredVerdicts
from registry.oci.digest import Digest
from tests.registry.open_services import REPOSITORY, open_services


def test_many_verdicts_are_looked_at_in_turns(tmp_path: Path) -> None:
    """Each look is a statement on the event loop, which has other work."""
    with open_services(tmp_path) as services:
        stored, turns = StoredVerdicts(services.storage, services.metadata, AttestSettings), []

        async def beside() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        async def looked_at() -> None:
            other = asyncio.ensure_future(beside())
            await stored.keep_all([(REPOSITORY, Digest.of(b"%d" % number)) for number in range(50)])
            other.cancel()

        services.run(looked_at())
    assert len(turns) >= 4
