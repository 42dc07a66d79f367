"""Platforms of an index's children and of images, and their normal form, which runtimes compare.

The rules are containerd's (its module `platforms`, `Normalize`), which docker and CRI use as well.
"""

from dataclasses import dataclass

from registry.oci import strict_json

_NAME_MAXIMUM = 64
_SYSTEMS = {"": "linux", "macos": "darwin"}
_ARCHITECTURES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "armhf": "arm",
    "armel": "arm",
}
# These names imply the variant, whatever variant is given.
_FIXED = {"i386": "", "armhf": "v7", "armel": "v6"}
_VARIANTS = {
    "amd64": {"v1": ""},
    "arm64": {"8": "", "v8": "", "v8.0": "", "9": "v9", "9.0": "v9", "v9.0": "v9"},
    "arm": {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
}


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform of a child of an index."""

    os: str = ""
    architecture: str = ""
    variant: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether it is `unknown/unknown`, which marks attestations that build tools add to an index."""
        return self.os == "unknown" and self.architecture == "unknown"

    @property
    def is_named(self) -> bool:
        """Whether any member is given."""
        return bool(self.os or self.architecture or self.variant)

    @property
    def normal(self) -> "Platform":
        """The normal form: lower case, one name for each system and architecture, without default variants.

        A missing system means linux.
        """
        written, variant = self.architecture.lower(), self.variant.lower()
        architecture = _ARCHITECTURES.get(written, written)
        variant = _FIXED.get(written, _VARIANTS.get(architecture, {}).get(variant, variant))
        system = self.os.lower()
        return Platform(_SYSTEMS.get(system, system), architecture, variant)

    @property
    def is_normal(self) -> bool:
        """Whether system and architecture are given in normal form; the variant does not matter."""
        return bool(self.os and self.architecture) and self.normal.is_alike(self)

    def is_alike(self, other: "Platform") -> bool:
        """Whether system and architecture are the same."""
        return (self.os, self.architecture) == (other.os, other.architecture)

    def __str__(self) -> str:
        """`linux/arm64/v8`; "" when nothing is given."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def platform_of_config(raw: bytes) -> Platform:
    """The `os` and `architecture` of an image configuration (OCI image-spec, config.md).

    Empty where it names none or cannot be read; names are cut at 64 characters.
    """
    try:
        document = strict_json.loads(raw)
    except strict_json.JsonRefused:
        return Platform()
    words = [document.get(name) if isinstance(document, dict) else None for name in ("os", "architecture")]
    return Platform(*(word[:_NAME_MAXIMUM] if isinstance(word, str) else "" for word in words))
