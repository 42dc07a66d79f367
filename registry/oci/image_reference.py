"""Image references as people and deployments write them: `[HOST[:PORT]/]repository[:tag][@digest]`."""

from dataclasses import dataclass
from typing import Self

from registry.oci.digest import Digest
from registry.oci.errors import NameInvalid
from registry.oci.names import Reference, RepositoryName, Tag

DEFAULT_TAG = "latest"
_MAXIMUM = 1024
_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "::1"})


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image, named as in `docker pull`.

    Attributes:
        host: `HOST` or `HOST:PORT`, lower case; "" when the text names no registry (docker then means docker.io).
        repository: the path on that registry.
        tag: the tag, or `None` when there is none.
        digest: the digest, or `None` when there is none; it wins over the tag.
    """

    host: str
    repository: RepositoryName
    tag: Tag | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a reference (distribution's reference grammar).

        Raises:
            NameInvalid: empty, too long, a URL, or a repository outside the grammar.
            TagInvalid: the tag breaks the grammar.
            DigestInvalid: the digest is malformed or of an unsupported algorithm.
        """
        if not text or len(text) > _MAXIMUM or "://" in text:
            raise NameInvalid(f"{text[:80]!r} is not an image: needs HOST:PORT/repository:tag, without a scheme")
        host, rest = split_host(text)
        if ":" in host and rest.lower().startswith(f"{host}/"):
            raise NameInvalid(f"{text[:80]!r} names its registry twice: write {host}/{rest[len(host) + 1 :][:80]}")
        return cls._read(host, rest)

    @classmethod
    def parse_local(cls, text: str) -> Self:
        """Parse a reference without a registry: `repository[:tag][@digest]`.

        A leading component that looks like a registry is part of the repository: `example.org/app` is one.

        Raises:
            NameInvalid: empty, too long, or a repository outside the grammar.
            TagInvalid: the tag breaks the grammar; a port before the repository is taken for one.
            DigestInvalid: the digest is malformed or of an unsupported algorithm.
        """
        if not text or len(text) > _MAXIMUM:
            raise NameInvalid(f"{text[:80]!r} is not an image: needs repository:tag or repository@digest")
        return cls._read("", text)

    @classmethod
    def _read(cls, host: str, text: str) -> Self:
        rest, sign, digest = text.partition("@")
        path, colon, tag = rest.partition(":")
        return cls(
            host=host,
            repository=RepositoryName.parse(path),
            tag=Tag.parse(tag) if colon else None,
            digest=Digest.parse(digest) if sign else None,
        )

    @property
    def pinned(self) -> bool:
        """Whether it has a digest."""
        return self.digest is not None

    @property
    def reference(self) -> Reference:
        """The reference to request: the digest, else the tag, else `latest`."""
        return self.digest or self.tag or Tag(DEFAULT_TAG)

    def with_host(self, host: str) -> Self:
        """The same reference on another registry."""
        return type(self)(host, self.repository, self.tag, self.digest)

    def __str__(self) -> str:
        host = f"{self.host}/" if self.host else ""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        if not tag and not digest:
            tag = f":{DEFAULT_TAG}"
        return f"{host}{self.repository}{tag}{digest}"


def split_port(host: str) -> tuple[str, str]:
    """Split `HOST:PORT`; removes the brackets of an IPv6 address; the port is "" when there is none."""
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name, rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def is_loopback(host: str) -> bool:
    """Whether `HOST[:PORT]` is a loopback address or name; no name is resolved."""
    name = split_port(host)[0].lower()
    octets = name.split(".")
    numeric = len(octets) == 4 and all(octet.isdigit() for octet in octets)
    return name in _LOOPBACK_NAMES or (numeric and octets[0] == "127")


def split_host(text: str) -> tuple[str, str]:
    """The registry and the rest: a first component is a host when it has a dot, a colon, or is `localhost`."""
    first, slash, rest = text.partition("/")
    if "@" in first:  # a digest has colons, and no registry before it
        return "", text
    if slash and ("." in first or ":" in first or first.lower() == "localhost"):
        return first.lower(), rest
    return "", text
