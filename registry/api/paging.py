"""Pages of lists: `n` and `last` in, `Link: <…>; rel="next"` out (distribution-spec, "Listing Tags")."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from starlette.requests import Request

from registry.oci.errors import BadRequest

_NUMBER = re.compile(r"[0-9]{1,18}")


def page_size(request: Request, default: int, maximum: int) -> int:
    """How many entries `n` asks for, clipped to `maximum`; a clipped page has a Link.

    Distribution answers 400 to a catalog's `n` that is too large; clients follow Links, so clipping serves them all.

    Raises:
        BadRequest: negative or not a number.
    """
    asked = asked_size(request)
    return default if asked is None else min(asked, maximum)


def asked_size(request: Request) -> int | None:
    """The value of `n`, `None` when it is absent. Raises BadRequest when it is negative or not a number."""
    text = request.query_params.get("n") or None
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise BadRequest(f"n is {text[:32]!r}: needs a whole number, 0 or more", {"n": text[:32]})
    return int(text)


def last_of(request: Request) -> str:
    """The entry after which the page begins, "" for the first page; it need not exist."""
    return request.query_params.get("last", "")


def last_number_of(request: Request) -> int | None:
    """The same of a list of numbers; `None` for the first page. Raises BadRequest when it is no number."""
    last = last_of(request)
    if last and not _NUMBER.fullmatch(last):
        raise BadRequest(f"last is {last[:32]!r}: give it as the page before tells it")
    return int(last) if last else None


def next_link(path: str, last: str, size: int | None, parameters: Mapping[str, str] | None = None) -> dict[str, str]:
    """The Link header to the next page: path and query only, as skopeo and ORAS need it."""
    query = urlencode(
        {"last": last, **({} if size is None else {"n": size}), **(parameters or {})}, quote_via=quote, safe=""
    )
    return {"Link": f'<{quote(path, safe="/:")}?{query}>; rel="next"'}
