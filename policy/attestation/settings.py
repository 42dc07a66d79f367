"""The settings of signed verdicts (section `attest`)."""

import string
from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from registry.config.group import Group


class Publication(StrEnum):
    """Whether signed verdicts are published in one of the two forms."""

    OFF = "off"
    VIRTUAL = "virtual"
    STORED = "stored"


_PLACEHOLDERS = frozenset({"repository", "digest"})


class AttestSettings(Group):
    """Verdicts signed for verifiers such as cosign and Kyverno."""

    referrer: Publication = Field(
        default=Publication.VIRTUAL,
        description="sigstore bundles in the list of referrers (cosign 3, Kyverno): `off`, or `virtual`: made when "
        "somebody asks, and stored nowhere as manifests or blobs; or `stored`: the newest one is, as if it were pushed",
    )
    tag: Publication = Field(
        default=Publication.VIRTUAL,
        description="the tag sha256-HEX.att (cosign 2, older controllers): `off`, or `virtual`: served, never listed, "
        "and merged with what others push there; or `stored`: the same, and a tag like any other",
    )
    resource_uri: str = Field(
        default="oci:{repository}@{digest}",
        description="`resourceUri` of a signed verdict: the name that consumers pull by, such as "
        "`oci://registry.example.com/{repository}@{digest}`",
    )
    verifier: str = Field(
        default="",
        description="`verifier.id` of a signed verdict, a URI; empty: `urn:uuid:` and the id of this store",
    )
    policy_uri: str = Field(
        default="",
        description="what stands before the name of the policy in `policy.uri`; empty: the verifier and `#policy-`",
    )
    history: int = Field(
        default=100, ge=1, description="signed verdicts that are kept of one manifest, the latest ones"
    )

    bundle_bytes: int = Field(
        default=4 << 20,
        ge=1 << 16,
        description="largest bundle or attestation of others that is looked into for an earlier verdict of this "
        "registry; a larger one is taken for one, and not listed",
    )

    @property
    def is_on(self) -> bool:
        """Whether verdicts are published in any form."""
        return {self.referrer, self.tag} != {Publication.OFF}

    @field_validator("resource_uri")
    @classmethod
    def _is_a_template(cls, value: str) -> str:
        names = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
        if names - _PLACEHOLDERS:
            raise ValueError("only {repository} and {digest} stand for something in it")
        return _uri(value)

    @field_validator("verifier", "policy_uri")
    @classmethod
    def _is_a_uri(cls, value: str) -> str:
        return value and _uri(value)


def _uri(value: str) -> str:
    if not urlsplit(value).scheme or any(each.isspace() for each in value):
        raise ValueError("needs a URI, such as https://registry.example.com/verdicts")
    return value
