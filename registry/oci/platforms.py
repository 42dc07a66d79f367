"""Platforms of an index's children, and their normal form: what runtimes compare instead of what was written.

The rules are containerd's (its module `platforms`, `Normalize`), which docker and CRI use as well.
"""

from dataclasses import dataclass

_SYSTEMS = {"": "linux", "macos": "darwin"}
_ARCHITECTURES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "armhf": "arm",
    "armel": "arm",
}
# Of these names the variant is told by the name, whatever is written beside.
_FIXED = {"i386": "", "armhf": "v7", "armel": "v6"}
_VARIANTS = {
    "amd64": {"v1": ""},
    "arm64": {"8": "", "v8": "", "v8.0": "", "9": "v9", "9.0": "v9", "v9.0": "v9"},
    "arm": {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
}


@dataclass(frozen=True, slots=True)
class Platform:
    """What a child of an index runs on."""

    os: str = ""
    architecture: str = ""
    variant: str = ""

    @property
    def is_unknown(self) -> bool:
        """`unknown/unknown` marks attestations that build tools add to an index."""
        return self.os == "unknown" and self.architecture == "unknown"

    @property
    def is_named(self) -> bool:
        """Whether it says anything."""
        return bool(self.os or self.architecture or self.variant)

    @property
    def normal(self) -> "Platform":
        """The normal form: lower case, one name for each system and architecture, variants that are defaults left out.

        No system means linux: on another one nothing here could be started.
        """
        written, variant = self.architecture.lower(), self.variant.lower()
        architecture = _ARCHITECTURES.get(written, written)
        variant = _FIXED.get(written, _VARIANTS.get(architecture, {}).get(variant, variant))
        system = self.os.lower()
        return Platform(_SYSTEMS.get(system, system), architecture, variant)

    @property
    def is_normal(self) -> bool:
        """Whether system and architecture are written in normal form, both of them; a variant narrows only."""
        return bool(self.os and self.architecture) and self.normal.is_alike(self)

    def is_alike(self, other: "Platform") -> bool:
        """Whether system and architecture are the same."""
        return (self.os, self.architecture) == (other.os, other.architecture)

    def __str__(self) -> str:
        """`linux/arm64/v8`; "" when nothing is named."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)
