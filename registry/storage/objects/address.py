"""`s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, `gs://BUCKET/PREFIX`: where an object store keeps blobs."""

import re
from dataclasses import dataclass

from registry.errors import BasegateError

_FORM = re.compile(r"(?P<scheme>s3|az|gs)://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,254})(?:/(?P<prefix>[^?#\s]*))?")

_LOGIN = re.compile(r"(?<=://)\S*@")


class StoreUnusable(BasegateError):
    """The object store of the settings cannot be used; the message says which part is wrong, and what is needed."""


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A location in a store.

    Attributes:
        scheme: s3, az or gs.
        bucket: the bucket, or the container.
        prefix: what all names of objects begin with, without a slash at either end; "": nothing.
    """

    scheme: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        """The URL in one form."""
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


def parse_store_url(url: str) -> StoreAddress:
    """The location that a URL names.

    Raises:
        StoreUnusable: it has another form.
    """
    match = _FORM.fullmatch(url)
    parts = [] if match is None else (match["prefix"] or "").strip("/").split("/")
    if match is None or any(part in {".", ".."} for part in parts) or (len(parts) > 1 and "" in parts):
        shown = _LOGIN.sub("…@", url)  # what somebody took for a place of keys is not told
        raise StoreUnusable(
            f"storage.url is {shown!r}: needs s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or gs://BUCKET/PREFIX"
        )
    return StoreAddress(match["scheme"], match["bucket"], "/".join(parts))
