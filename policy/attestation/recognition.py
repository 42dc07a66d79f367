"""Recognises signed verdicts among what refers to an image."""

from policy.attestation.types import BUNDLE_TYPE, PREDICATE_TYPE
from registry.oci.descriptor import Descriptor


def is_signed_verdict(referrer: Descriptor) -> bool:
    """Whether a referrer publishes a verdict, of whichever registry.

    Within one registry such referrers are not copied: it signs what holds of the copy itself, and an earlier verdict
    under its key, kept as content, would outlive a turn of the policy.
    """
    kind = referrer.annotations.get("dev.sigstore.bundle.predicateType")
    return referrer.artifact_type == BUNDLE_TYPE and kind == PREDICATE_TYPE
