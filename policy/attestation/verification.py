"""The procedure of SLSA's page on verification summaries (SLSA 1.2, "How to verify"), step by step."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from policy.attestation.summary import FAILED, PASSED, STATEMENT_TYPE
from policy.attestation.types import PAYLOAD_TYPE, PREDICATE_TYPE
from policy.signing.dsse import Envelope, SignatureWrong, verify
from registry.errors import BasegateError
from registry.oci.digest import Digest

STEPS = ("signature", "subject", "predicate type", "verifier", "resource", "result", "levels")
"""The seven steps, in their order."""
_SHOWN = 200
_BEFORE = re.compile(r"([a-z][a-z0-9+.-]*:)?(//[^/]+/)?|[^/:]+\.[^/:]+(:[0-9]+)?/|[^/:]+:[0-9]+/")
"""What may stand before the name of a repository: a scheme, a host, or both."""


class SummaryWrong(BasegateError):
    """A step fails; the message begins with its number and name."""

    def __init__(self, step: str, why: str) -> None:
        self.step = step
        super().__init__(f"step {STEPS.index(step) + 1} of {len(STEPS)}, {step}: {why}")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a summary is compared with.

    Attributes:
        keys: public keys that are trusted, by their ids.
        digest: of the image.
        resource: `resourceUri`, or what it has to end with where that begins with `…`.
        verifier: who signs with these keys; "": whoever has them.
        levels: what has to be verified, all of them; empty: anything that is not FAILED.
    """

    keys: Mapping[str, EllipticCurvePublicKey]
    digest: Digest
    resource: str
    verifier: str = ""
    levels: Sequence[str] = ()


def verified(envelope: Envelope, expected: Expected) -> dict[str, Any]:
    """The predicate of a summary that holds.

    Raises:
        SummaryWrong: the first step that fails.
    """
    try:
        verify(envelope, expected.keys)
    except SignatureWrong as error:
        raise SummaryWrong("signature", str(error)) from None
    statement = _statement(envelope)
    subjects = list(_subjects(statement))
    if expected.digest not in subjects:
        raise SummaryWrong("subject", f"it is about {_shown(subjects)}, not about {expected.digest}")
    if statement.get("predicateType") != PREDICATE_TYPE:
        raise SummaryWrong("predicate type", f"it is {_shown(statement.get('predicateType'))}, needs {PREDICATE_TYPE}")
    predicate = statement.get("predicate")
    if not isinstance(predicate, dict):
        raise SummaryWrong("predicate type", "it has no predicate")
    _compare(predicate, expected)
    return predicate


def _compare(predicate: Mapping[str, Any], expected: Expected) -> None:
    who = predicate.get("verifier")
    name = who.get("id") if isinstance(who, dict) else None
    if not isinstance(name, str) or not name or expected.verifier not in {"", name}:
        raise SummaryWrong("verifier", f"it is {_shown(name)}, needs {expected.verifier or 'a URI'}")
    resource = predicate.get("resourceUri")
    if not isinstance(resource, str) or not _is_meant(resource, expected.resource):
        raise SummaryWrong("resource", f"it is {_shown(resource)}, needs {expected.resource}")
    if predicate.get("verificationResult") != PASSED:
        raise SummaryWrong("result", f"it is {_shown(predicate.get('verificationResult'))}, needs {PASSED}")
    levels = predicate.get("verifiedLevels")
    found = levels if isinstance(levels, list) else []
    lacking = [level for level in expected.levels if level not in found]
    if lacking or not found or FAILED in found:
        raise SummaryWrong("levels", f"verified is {_shown(levels)}, needs {', '.join(lacking) or 'a level'}")


def _is_meant(resource: str, expected: str) -> bool:
    if not expected.startswith("…"):
        return resource == expected
    end = expected[1:]
    return resource.endswith(end) and _BEFORE.fullmatch(resource.removesuffix(end)) is not None


def _statement(envelope: Envelope) -> dict[str, Any]:
    if envelope.payload_type != PAYLOAD_TYPE:
        raise SummaryWrong("subject", f"the payload is {_shown(envelope.payload_type)}, needs {PAYLOAD_TYPE}")
    try:
        statement = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        statement = None
    if not isinstance(statement, dict) or statement.get("_type") != STATEMENT_TYPE:
        raise SummaryWrong("subject", f"the payload is no statement: needs {STATEMENT_TYPE}")
    return statement


def _subjects(statement: Mapping[str, Any]) -> Iterator[str]:
    subjects = statement.get("subject")
    for each in subjects if isinstance(subjects, list) else ():
        digests = each.get("digest") if isinstance(each, dict) else None
        if isinstance(digests, dict):
            yield from (f"{algorithm}:{encoded}" for algorithm, encoded in digests.items())


def _shown(value: object) -> str:
    return json.dumps(value)[:_SHOWN]
