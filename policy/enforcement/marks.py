"""What holds of manifests, in the words that rules of retention name: the state of the verdict, and `exempt`."""

import asyncio
from collections.abc import Mapping, Sequence

from policy.enforcement.gate import PolicyGate
from policy.state import State
from registry.content.retention import Marks
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

EXEMPT = "exempt"
_WORDS = frozenset({State.CLEARED, State.REFUSED, State.INCONCLUSIVE, State.NOT_APPLICABLE, EXEMPT})


def marks_of(gate: PolicyGate) -> Marks:
    """The marks by this gate. Nothing is inspected for them: of a manifest without a verdict nothing is known."""

    async def words_of(repository: RepositoryName, digests: Sequence[Digest]) -> Mapping[Digest, frozenset[str]]:
        found = {}
        for digest in digests:
            await asyncio.sleep(0)  # others have their turn
            conclusion = await gate.conclusion(repository, digest, known=True)
            if conclusion is not None:
                exempt = {EXEMPT} if conclusion.exemptions else set()
                found[digest] = frozenset({conclusion.state.value, *exempt})
        return found

    return Marks(frozenset(str(word) for word in _WORDS), words_of)
