"""One delivery: a POST to a sink, which must not lead anywhere else."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from registry.notifications.formats import Payload
from registry.notifications.outcome import Outcome
from registry.notifications.signature import signed_headers
from registry.notifications.sink import Sink
from registry.registry_client.addresses import Reach, within
from registry.registry_client.errors import Unusable
from registry.registry_client.trust import tls_context

_LONGEST = 500


@asynccontextmanager
async def client_of(sink: Sink) -> AsyncIterator[httpx.AsyncClient]:
    """The connections to a sink; no proxy makes them, because the address that is connected to is looked at."""
    verify = tls_context(sink.ca_files) if sink.url.startswith("https:") else False
    async with httpx.AsyncClient(
        verify=verify, timeout=sink.timeout, trust_env=False, follow_redirects=False
    ) as client:
        yield client


async def deliver(client: httpx.AsyncClient, sink: Sink, payload: Payload) -> Outcome:
    """Deliver: anything but a 2xx is a failure, redirections too."""
    headers = {
        "User-Agent": "basegate",
        "Content-Type": payload.media_type,
        **dict(sink.headers),
        **signed_headers(sink.key, payload.id, int(time.time()), payload.body),
    }
    extensions = dict(within(Reach.LOOPBACK if sink.local else Reach.PRIVATE, sink.host))
    try:
        async with client.stream(
            "POST", sink.url, content=payload.body, headers=headers, extensions=extensions
        ) as response:
            status = response.status_code
            return Outcome(status, "" if response.is_success else f"{sink.host} answered {status}")
    except Unusable as error:
        return _failed(f"{error}: see `local` of the sink")
    except ValueError as error:  # a header field that HTTP cannot carry (UnicodeEncodeError)
        return _failed(f"{sink.host} cannot be told: {error}")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return _failed(f"{sink.host} cannot be reached: {str(error) or type(error).__name__}")


def _failed(problem: str) -> Outcome:
    return Outcome(0, problem[:_LONGEST])
