"""The settings of the endpoints that Kubernetes asks (section `kubernetes`)."""

from enum import StrEnum

from pydantic import Field

from registry.config.group import MEBIBYTE, Group


class Other(StrEnum):
    """What is answered for images of other registries."""

    DENY = "deny"
    WARN = "warn"
    ALLOW = "allow"


class KubernetesSettings(Group):
    """Reviews of Pods and of everything that makes them. Which hosts are this registry: `gateway.hosts`."""

    other: Other = Field(
        default=Other.DENY,
        description="what is answered for an image of another registry, which cannot be judged here: deny, warn (it "
        "is allowed, with a warning) or allow",
    )
    kserve: bool = Field(
        default=False,
        description="whether oci:// and oci+native:// in storageUri and uri are images too, as KServe takes them",
    )
    wait_seconds: float = Field(
        default=5.0,
        gt=0,
        description="how long a review waits for images that are still being inspected; then it is denied. Keep it "
        "below timeoutSeconds of the webhook (10 by default)",
    )
    images: int = Field(default=500, ge=1, description="different images that one review may name; more: denied")
    review_bytes: int = Field(
        default=4 * MEBIBYTE,
        ge=1024,
        description="largest review, the object before and after the change included; a larger one gets 413",
    )
