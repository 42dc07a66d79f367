"""Rule `os-version`: the image's operating system is the named one, in at least the minimum version."""

from typing import Annotated, ClassVar

from pydantic import Field

from policy.inspection.facts import Fact
from policy.rules.findings import place_of
from policy.rules.rule import PlainVersion, Rule, because, version_of
from policy.rules.text_limits import elided
from policy.rules.versions import VersionRefused, plain_version

_NAMES = {
    "ubuntu": "Ubuntu",
    "debian": "Debian",
    "centos": "CentOS",
    "fedora": "Fedora",
    "amzn": "Amazon Linux",
    "rhel": "Red Hat Enterprise Linux",
    "rocky": "Rocky Linux",
    "almalinux": "AlmaLinux",
    "ol": "Oracle Linux",
    "alpine": "Alpine Linux",
}
# Images whose name is not the system's id.
_IMAGES = {"amzn": "amazonlinux", "rhel": "redhat/ubi{major}", "rocky": "rockylinux", "ol": "oraclelinux"}


class OsVersion(Rule):
    """`ID` of os-release is exactly `id`, and `VERSION_ID` is at least `minimum`, compared as numbers."""

    name: ClassVar[str] = "os-version"
    subject: ClassVar[str] = "os"
    thing: ClassVar[str] = "operating system"

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="the ID of os-release")]
    minimum: PlainVersion

    @property
    def needs(self) -> str:
        """`Ubuntu 16.04 or newer`."""
        return f"{_word(self.id)} {self.minimum} or newer"

    @property
    def fix(self) -> str:
        """Another base image."""
        return f"start the image from {self.needs}: FROM {self.image}"

    @property
    def image(self) -> str:
        """The base image of the minimum: `ubuntu:16.04`."""
        name = _IMAGES.get(self.id, self.id).format(major=self.minimum.partition(".")[0])
        return f"{name}:{self.minimum}"

    def describe(self, fact: Fact) -> str:
        """`Ubuntu 16.04`."""
        return f"{_word(elided(fact.value.get('id', ''), 64))} {version_of(fact)}".strip()

    def judge(self, fact: Fact) -> str:
        """Wrong for another system (in files or configuration), an unreadable version, or one that is too old."""
        if fact.value.get("id") != self.id or "config_os" in fact.value:
            return f"{self.describe(fact) or 'an unnamed operating system'}{place_of(fact)}{because(fact)}"
        if "version" not in fact.value:
            return self.unreadable(fact)
        try:
            old = plain_version(fact.value["version"]) < plain_version(self.minimum)
        except VersionRefused:
            return f"{self.describe(fact)}{place_of(fact)}, which cannot be compared{because(fact)}"
        return f"{self.describe(fact)}{place_of(fact)}{because(fact)}" if old else ""


def _word(identifier: str) -> str:
    return _NAMES.get(identifier, identifier)
