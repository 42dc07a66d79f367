"""A sink: an address that is told of some events, in a format."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from registry.config.sinks import SinkSettings
from registry.errors import BasegateError
from registry.metadata.events import Event
from registry.notifications.signature import key_of
from registry.oci.patterns import EVERY, any_covers, covers


class SinkUnusable(BasegateError):
    """A file that a sink names cannot be read."""


@dataclass(frozen=True, slots=True)
class Sink:
    """One sink, ready to be told.

    Attributes:
        name, url, format, kinds, repositories, local, timeout, give_up: as in its settings.
        tags: pattern of tags; events without one are told only where it is `*`.
        headers: further header fields.
        key: signs deliveries; empty: they are not signed.
        ca_files: authorities trusted for it.
    """

    name: str
    url: str
    format: str
    kinds: tuple[str, ...] = ("*",)
    repositories: tuple[str, ...] = ("*",)
    tags: str = "*"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    key: bytes = field(default=b"", repr=False)
    ca_files: tuple[Path, ...] = ()
    local: bool = False
    timeout: float = 10.0
    give_up: float = 0.0

    @classmethod
    def of(cls, settings: SinkSettings) -> "Sink":
        """The sink of some settings. Raises SinkUnusable when a file cannot be read."""
        return cls(
            settings.name,
            settings.url,
            settings.format,
            settings.kinds,
            settings.repositories,
            "*",
            tuple((name, _read(settings.name, file)) for name, file in settings.headers.items()),
            key_of(_read(settings.name, settings.secret)) if settings.secret else b"",
            (settings.ca_file,) if settings.ca_file else (),
            settings.local,
            settings.timeout_seconds,
            settings.give_up_seconds,
        )

    @property
    def host(self) -> str:
        """`HOST[:PORT]` of its address, without the credentials that a webhook's may have."""
        return urlsplit(self.url).netloc.rpartition("@")[2].lower()

    @property
    def shown_url(self) -> str:
        """Its address without credentials, for whoever reads what was delivered."""
        return urlsplit(self.url)._replace(netloc=self.host).geturl()

    def wants(self, event: Event) -> bool:
        """Whether it is to be told of an event."""
        if not any_covers(self.kinds, event.kind) or not any_covers(self.repositories, event.repository):
            return False
        tags = [event.tag, *event.details.get("tags", ())]
        return self.tags == EVERY or any(covers(self.tags, tag) for tag in tags if tag)

    def covers(self, tag: str) -> bool:
        """Whether it is to be told of one tag of an event that it wants; "": of the event as a whole."""
        return not tag or self.tags == EVERY or covers(self.tags, tag)


def _read(sink: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SinkUnusable(f"sink {sink} names {file}, which cannot be read: {error}") from None
