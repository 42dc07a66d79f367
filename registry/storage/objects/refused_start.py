"""What a start says of an object store that it cannot use: which setting is wrong, what the store said, what to do."""

import re
from html import unescape

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from registry.storage.objects.address import StoreAddress, StoreUnusable
from registry.storage.objects.bucket import first_line

_ANSWER = re.compile(r"<Code>(?P<code>[^<]*)</Code>\s*<Message>(?P<message>[^<]*)")
_CAUSE = re.compile(r'(?:message|error): "(?P<said>[^"]+)"')
_NOT_TLS = re.compile(r"InvalidMessage|InvalidContentType")
_MACHINE = re.compile(r"/latest/(?:api/token|meta-data)|/metadata/identity|computeMetadata")
"""Where the keys of a machine of the cloud are asked for, which is done when no other is named."""
_UNKNOWN_KEY = {"InvalidAccessKeyId", "InvalidAccessKey", "SignatureDoesNotMatch", "XAdminUserNotFound"}
_OTHER_REGION = {"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"}
_LONGEST = 200
_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "gs": "GOOGLE_SERVICE_ACCOUNT",
}


def refused_start(address: StoreAddress, endpoint: str, error: BaseException) -> StoreUnusable:
    """The one line for an error of obstore.

    Args:
        address: what `storage.url` names.
        endpoint: what `storage.endpoint` names; "": the cloud's own.
        error: what reading the mark, or writing it, raised.
    """
    store = f"storage.url is {address}" + (f" at {endpoint}" if endpoint else "")
    keys = f"{_KEYS[address.scheme]} in the file of storage.credentials or in the environment"
    text, _, cause = str(error).partition("\n\nDebug source")
    answer = _ANSWER.search(text)
    code = answer["code"] if answer else ""
    said = _said(f"{code}: {unescape(answer['message'])}" if answer else first_line(error))
    if _MACHINE.search(text):
        return StoreUnusable(f"{store}, and no key for it was found: needs {keys}: {said}")
    if code in _UNKNOWN_KEY or isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StoreUnusable(f"{store}, and its key may not read and write there: see {keys}: {said}")
    if code in _OTHER_REGION:
        return StoreUnusable(f"{store}, which is of another region: see storage.region, or AWS_REGION: {said}")
    if isinstance(error, FileNotFoundError):
        return StoreUnusable(f"{store}, and there is no such bucket: make it, or name another: {said}")
    if "kind: Connect" in cause:
        reason = _reason(cause, said)
        return StoreUnusable(f"{store}, which does not answer: {reason}: see storage.endpoint, and that the store runs")
    return StoreUnusable(f"{store}, which does not answer as a store does: see storage.endpoint: {said}")


def _reason(cause: str, otherwise: str) -> str:
    """Why a connection failed: of all that the error tells, only what the system said."""
    if _NOT_TLS.search(cause):
        return "it does not speak TLS (https://)"
    found = _CAUSE.findall(cause)
    return _said(found[-1]) if found else otherwise


def _said(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
