"""The types by which signed verdicts are recognised (in-toto, SLSA, Sigstore). Imports nothing."""

PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
