"""Verification summaries: a verdict as an in-toto statement (Statement v1, SLSA Verification Summary v1)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from policy.attestation.settings import AttestSettings
from policy.attestation.types import PREDICATE_TYPE
from policy.enforcement.conclusion import Conclusion
from policy.state import State
from registry.oci.canonical_json import canonical_json
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from registry.oci.timestamp import timestamp

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
VERDICT = "urn:basegate:verdict"
"""The member of ours, named by a URI as the predicate wants: what the words of SLSA have no room for."""
PASSED, FAILED = "PASSED", "FAILED"
_TIME = "timeVerified"


def level_of(policy: str, *, exempted: bool) -> str:
    """What is verified of an image that passes: `BASEGATE_AZUREML_2019_07`; not a level of SLSA, which are theirs."""
    name = re.sub(r"[^A-Z0-9]+", "_", policy.upper())
    return f"BASEGATE_{name}{'_EXEMPTED' if exempted else ''}"


def predicate_of(
    repository: RepositoryName, digest: Digest, conclusion: Conclusion, settings: AttestSettings, verifier: str
) -> dict[str, Any] | None:
    """What is said of a manifest, without the time; `None` where the policy says nothing of it: it is no image.

    Args:
        repository: where it is.
        digest: its name.
        conclusion: about it.
        settings: what the parts are called.
        verifier: who says so, where the settings do not tell.
    """
    if conclusion.state is State.NOT_APPLICABLE:
        return None
    passed = conclusion.state is State.CLEARED or bool(conclusion.exemptions)
    who = settings.verifier or verifier
    algorithm, _, encoded = conclusion.policy_digest.partition(":")
    level = level_of(conclusion.policy_name, exempted=bool(conclusion.exemptions))
    return {
        "verifier": {"id": who},
        "resourceUri": settings.resource_uri.format(repository=repository, digest=digest),
        "policy": {
            "uri": f"{settings.policy_uri or f'{who}#policy-'}{conclusion.policy_name}",
            "digest": {algorithm: encoded},
        },
        "verificationResult": PASSED if passed else FAILED,
        "verifiedLevels": [level] if passed else [FAILED],
        VERDICT: {
            "state": conclusion.state.value,
            "policy": conclusion.policy_name,
            "exemptions": list(conclusion.exemptions),
        },
    }


def statement_of(digest: Digest, predicate: Mapping[str, Any], now: float) -> bytes:
    """The statement, the bytes that are signed; `now` in seconds since the epoch."""
    timed = {**predicate, _TIME: timestamp(int(now))}
    subject = [{"digest": {digest.algorithm: digest.encoded}}]
    return canonical_json(
        {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": PREDICATE_TYPE, "predicate": timed}
    )


def says(statement: bytes, predicate: Mapping[str, Any]) -> bool:
    """Whether a statement that `statement_of` has made says the same, at whatever time."""
    said = json.loads(statement)["predicate"]
    said.pop(_TIME)
    return bool(said == predicate)
