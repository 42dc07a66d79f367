"""The members that container runtimes decode from manifests and configurations, and Go's case folding of names.

Go's encoding/json matches a name to a member exactly or, failing that, ignoring case: ASCII letters, and the two other
characters that simple case folding maps to ASCII letters, U+017F (s) and U+212A (k). Sources:
image-spec manifest.md, image-index.md, descriptor.md, config.md; Docker image specification v1.2; the
members of Docker's image configuration as its daemons write them.
"""

from collections.abc import Iterable, Mapping

_FOLDING = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)} | {0x017F: ord("s"), 0x212A: ord("k")}


def folded(name: str) -> str:
    """A member's name, folded: equal for two names that Go takes for the same member."""
    return name.translate(_FOLDING)


class Shape:
    """The members of an object, or of each object in a list; some have a shape of their own.

    Attributes:
        members: shape by name; `None` for a plain value or a free map, whose names may differ by case only.
    """

    def __init__(self, plain: Iterable[str], **nested: "Shape") -> None:
        """Make a shape of the names of `plain` members, and members with a shape."""
        self.members: Mapping[str, Shape | None] = dict.fromkeys(plain) | nested
        self._by_folded_name = {folded(name): name for name in self.members}

    def member_for(self, name: str) -> str | None:
        """The member that Go would take this name for; `None` for none."""
        return self._by_folded_name.get(folded(name))


_PLATFORM = Shape(("architecture", "os", "os.version", "os.features", "variant", "features"))
_DESCRIPTOR = Shape(
    ("mediaType", "digest", "size", "urls", "annotations", "data", "artifactType"),
    platform=_PLATFORM,
)
MANIFEST = Shape(
    ("schemaVersion", "mediaType", "artifactType", "annotations", "fsLayers", "signatures"),
    config=_DESCRIPTOR,
    layers=_DESCRIPTOR,
    manifests=_DESCRIPTOR,
    subject=_DESCRIPTOR,
)
"""An image manifest or an index; to tell them apart, runtimes decode members of both and of schema version 1."""

_HEALTH = Shape(("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"))
_STARTED = Shape(
    (
        *("Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "ExposedPorts", "Tty"),
        *("OpenStdin", "StdinOnce", "Env", "Cmd", "ArgsEscaped", "Image", "Volumes", "WorkingDir", "Entrypoint"),
        *("NetworkDisabled", "MacAddress", "OnBuild", "Labels", "StopSignal", "StopTimeout", "Shell"),
        *("Memory", "MemorySwap", "CpuShares", "Cpuset"),
    ),
    Healthcheck=_HEALTH,
)
CONFIGURATION = Shape(
    (
        *("id", "parent", "comment", "created", "container", "docker_version", "author", "Size"),
        *("architecture", "variant", "os", "os.version", "os.features"),
    ),
    config=_STARTED,
    container_config=_STARTED,
    rootfs=Shape(("type", "diff_ids", "base_layer")),
    history=Shape(("created", "author", "created_by", "comment", "empty_layer")),
)
"""The configuration of an image."""
