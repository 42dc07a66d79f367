"""The verdict of an image in a row of a table."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from policy.enforcement.gate import PolicyGate
from policy.results.manifests import InspectedManifest, Kind
from policy.state import State
from registry.metadata.overviews import ManifestOverview
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

_ABOUT = {"conda-version": "Conda", "python-version": "Python"}


async def mark_of(gate: PolicyGate, repository: RepositoryName, digest: Digest) -> dict[str, Any]:
    """`{"verdict", "exempt", "facts"}` of a manifest, as far as it is known: nothing is inspected for a list."""
    await asyncio.sleep(0)  # a row at a time: other callers go on in between
    recorded = gate.inspector.recorded(digest)  # first: it is remembered for the conclusion
    known = await gate.conclusion(repository, digest, known=True)
    if known is None:
        return {"verdict": State.PENDING.value, "exempt": False, "facts": short_facts({})}
    facts = short_facts(await _facts(gate, repository, digest, recorded))
    return {"verdict": known.state.value, "exempt": bool(known.exemptions), "facts": facts}


async def _facts(
    gate: PolicyGate, repository: RepositoryName, digest: Digest, recorded: InspectedManifest | None
) -> Mapping[str, Any]:
    """The facts that are judged. Of an image they are on record, without a verdict's findings and advice."""
    if recorded is None or recorded.kind is Kind.ARTIFACT:
        return {}
    if recorded.kind is Kind.IMAGE:
        judged = json.loads(recorded.essence)["judged"]
        return {subject: values[0] for subject, values in judged.items()}
    verdict, _ = await gate.verdict_now(repository, digest)
    return {} if verdict is None else verdict.facts


def short_facts(facts: Mapping[str, Any]) -> dict[str, str]:
    """System, Conda and Python in words; empty for what is not known."""
    system = facts.get("os") or {}
    return {
        "os": f"{(system.get('id') or '').capitalize()} {system.get('version') or ''}".strip(),
        "conda": (facts.get("conda") or {}).get("version") or "",
        "python": (facts.get("python") or {}).get("version") or "",
    }


def in_words(rule: str, needs: str) -> str:
    """What a rule needs, with the word for what it is about where its own words leave that out."""
    return f"{_ABOUT[rule]} {needs}" if needs[:1].isdigit() and rule in _ABOUT else needs


def manifest_document(shown: ManifestOverview) -> dict[str, Any]:
    """A manifest in a row of a table."""
    return {
        "digest": shown.digest,
        "media_type": shown.media_type,
        "artifact_type": shown.artifact_type,
        "size": shown.size,
        "pushed": shown.pushed,
        "pushed_by": shown.pushed_by,
        "subject": shown.subject,
    }
