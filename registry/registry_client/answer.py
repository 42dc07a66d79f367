"""Answers of another registry: read within bounds, and turned into errors that say what to do."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from registry.errors import reason_of
from registry.registry_client.endpoint import Endpoint
from registry.registry_client.errors import Absent, RemoteError, SignInRefused, Throttled, Unreachable, Unusable

_LONGEST_MESSAGE = 500
_LONGEST_ERROR = 65536
_LONGEST_WAIT = 24 * 60 * 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole small answer."""

    status: int
    headers: httpx.Headers
    content: bytes

    def json(self) -> dict[str, Any]:
        """Its JSON object; empty when it is none."""
        try:
            document = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


async def read_small(endpoint: Endpoint, response: httpx.Response, maximum: int) -> Answer:
    """The whole answer; raises Unusable when it has more than `maximum` bytes."""
    content = bytearray()
    async for piece in response.aiter_raw():
        content += piece
        if len(content) > maximum:
            raise Unusable(
                f"{endpoint.name} sends more than {maximum} bytes for {response.url.path}: that is no answer of a "
                "registry, or the limit is too low for it"
            )
    return Answer(response.status_code, response.headers, bytes(content))


def error_of(endpoint: Endpoint, answer: Answer, what: str) -> RemoteError:
    """The error for an answer that is none of those that were hoped for; `what` was asked for."""
    said = _message(answer)
    status, name = answer.status, endpoint.name
    if status == httpx.codes.TOO_MANY_REQUESTS:
        wait = retry_after(answer.headers)
        when = "later" if wait is None else f"in {wait:.0f} s"
        return Throttled(f"{name} wants fewer requests (429) and gave no {what}: try again {when}{said}", wait)
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return SignInRefused(
            f"{name} refuses {what} ({status}): are the credentials for it there, and do they suffice?{said}"
        )
    if status == httpx.codes.NOT_FOUND:
        return Absent(f"{name} has no {what}{said}")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Unreachable(f"{name} failed to give {what} ({status}): try again{said}", retry_after(answer.headers))
    return Unusable(f"{name} answered {status} for {what}{said or ': is it a registry?'}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After field, a day at most; `None` when it has none that can be read."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_WAIT)


def _message(answer: Answer) -> str:
    """What the registry says for a person, as the end of a sentence; "" when it says nothing."""
    errors = answer.json().get("errors") if len(answer.content) <= _LONGEST_ERROR else None
    first = errors[0] if isinstance(errors, list) and errors else None
    text = first.get("message") if isinstance(first, dict) else None
    if not isinstance(text, str) or not text:
        return ""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST_MESSAGE])
    return f". It says: {shown}"


@contextmanager
def transport_errors(endpoint: Endpoint) -> Iterator[None]:
    """Turn what httpx raises into our errors."""
    try:
        yield
    except httpx.ConnectTimeout:
        seconds = endpoint.limits.connect_seconds
        raise Unreachable(f"{endpoint.name} does not take a connection within {seconds:g} s: is it up?") from None
    except httpx.TimeoutException:
        seconds = endpoint.limits.silence_seconds
        raise Unreachable(f"{endpoint.name} was silent for {seconds:g} s in the middle: try again") from None
    except httpx.ConnectError as error:
        raise _no_connection(endpoint, error) from None
    except (httpx.TransportError, httpx.StreamError) as error:
        reason = reason_of(error)
        raise Unreachable(f"{endpoint.name} broke the connection off ({reason}): try again") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise Unusable(f"{endpoint.name} gave an answer that cannot be read ({error})") from None


def _no_connection(endpoint: Endpoint, error: Exception) -> RemoteError:
    reason = reason_of(error)
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return Unusable(f"{endpoint.name} shows a certificate that is not trusted here ({reason}): name its CA")
    return Unreachable(f"{endpoint.name} cannot be reached over {endpoint.scheme} ({reason}): is it up?")


@asynccontextmanager
async def within_time(endpoint: Endpoint) -> AsyncIterator[None]:
    """Raise Unreachable when a small answer takes longer than `answer_seconds`."""
    seconds = endpoint.limits.answer_seconds
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unreachable(f"{endpoint.name} gave no whole answer within {seconds:g} s: try again") from None
