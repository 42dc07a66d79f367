"""Signed verdicts as an extension of the registry: content that is derived, and what renews it."""

from collections.abc import Callable

from policy.attestation.attestations import Attestations
from policy.attestation.derived_verdicts import DerivedVerdicts
from policy.attestation.renewal import Renewal
from policy.attestation.settings import AttestSettings
from policy.attestation.stored_verdicts import StoredVerdicts
from policy.enforcement.gate import PolicyGate
from policy.signing.key_ring import KeyRing
from registry.api.services import Stores
from registry.extension import Extension


def extension(
    gate: PolicyGate, stores: Stores, attestations: Attestations, ring: KeyRing, settings: Callable[[], AttestSettings]
) -> Extension:
    """The extension that publishes what is attested; pushes record it with the gate's decision."""
    gate.alongside = attestations.alongside

    def turns() -> object:
        return gate.turns(), ring.current.kid, settings()

    stored = StoredVerdicts(stores.storage, stores.metadata, settings)
    derived = DerivedVerdicts(attestations, stores.storage, stores.metadata, stored, settings)
    return Extension(derived=derived, background=(Renewal(attestations, stored, stores.metadata, turns).run,))
