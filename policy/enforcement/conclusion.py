"""What is concluded of a manifest: its state, by which policy, and what excuses it."""

from dataclasses import dataclass

from policy.state import State
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

Named = tuple[RepositoryName, Digest]
"""A manifest, by its repository and digest."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A conclusion, which the verdict and the exemptions of one moment give.

    Attributes:
        state: of the verdict; never `pending`.
        policy_name, policy_digest: of the policy in force for the repository.
        exemptions: when exemptions let a refused manifest through, the message of each; else empty.
    """

    state: State
    policy_name: str
    policy_digest: str
    exemptions: tuple[str, ...] = ()
