"""One delivery: a POST to a sink, which must not lead anywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from registry.notifications.connection import SinkConnection
from registry.notifications.formats import Payload
from registry.notifications.outcome import Outcome
from registry.notifications.signature import signed_headers
from registry.notifications.sink import Sink
from registry.registry_client.errors import Unusable
from registry.registry_client.trust import tls_context

_LONGEST = 500
_SUCCESS = range(200, 300)


@contextmanager
def connection_to(sink: Sink) -> Iterator[SinkConnection]:
    """The connection to a sink; no proxy makes it, because the address that is connected to is looked at."""
    connection = SinkConnection(sink, tls_context(sink.ca_files) if sink.url.startswith("https:") else None)
    try:
        yield connection
    finally:
        connection.close()


async def deliver(connection: SinkConnection, sink: Sink, payload: Payload) -> Outcome:
    """Deliver: anything but a 2xx is a failure, redirections too."""
    fields = {
        "User-Agent": "basegate",
        "Content-Type": payload.media_type,
        **dict(sink.headers),
        **signed_headers(sink.key, payload.id, int(time.time()), payload.body),
    }
    try:
        status = await connection.post(fields, payload.body)
    except Unusable as error:
        return _failed(f"{error}: see `local` of the sink")
    except ValueError as error:  # a header field that HTTP cannot carry (UnicodeEncodeError)
        return _failed(f"{sink.host} cannot be told: {error}")
    except (OSError, EOFError) as error:
        return _failed(f"{sink.host} cannot be reached: {str(error) or type(error).__name__}")
    return Outcome(status, "" if status in _SUCCESS else f"{sink.host} answered {status}")


def _failed(problem: str) -> Outcome:
    return Outcome(0, problem[:_LONGEST])
