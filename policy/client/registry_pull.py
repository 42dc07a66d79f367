"""Tries a user name and a password at any registry, as a service would use them: with a pull.

A token is only fetched from the host itself, whatever a challenge says.
"""

import re
from urllib.parse import urlencode, urlsplit

import httpx

from policy.client.api import CheckNotPossible, Connection, send
from registry.errors import BasegateError
from registry.oci.image_reference import ImageReference
from registry.registry_client.credentials import Credentials

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_PARAMETER = re.compile(r'([a-z_]+)="([^"]*)"')
_REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


class LoginRefused(BasegateError):
    """The registry refuses the user name and password, or a pull with them; the message has no secret."""


def sign_in(connection: Connection, login: Credentials) -> None:
    """Sign in at `/v2/`.

    Raises:
        LoginRefused, CheckNotPossible: see there.
    """
    _answer(connection, login, "GET", "/v2/", "")


def pull_digest(connection: Connection, login: Credentials, image: ImageReference) -> str:
    """The digest of an image, looked up with this login; "" when the response has none.

    Raises:
        LoginRefused, CheckNotPossible: see there; or there is no such image.
    """
    path = f"/v2/{image.repository}/manifests/{image.reference}"
    response = _answer(connection, login, "HEAD", path, f"repository:{image.repository}:pull")
    if response.status_code != httpx.codes.OK:
        raise CheckNotPossible(f"{connection.host} answered {response.status_code} for {image}: is it there?")
    return str(response.headers.get("docker-content-digest", ""))


def _answer(connection: Connection, login: Credentials, method: str, path: str, scope: str) -> httpx.Response:
    accept = {"Accept": _MANIFESTS}
    response = send(connection, login, method, path, headers=accept)
    challenge = response.headers.get("www-authenticate", "")
    if response.status_code == httpx.codes.UNAUTHORIZED and challenge.lower().startswith("bearer "):
        token = _token(connection, login, challenge, scope)
        if token:
            response = send(connection, None, method, path, headers=accept | {"Authorization": f"Bearer {token}"})
    if response.status_code in _REFUSED:
        raise LoginRefused(
            f"{connection.host} refuses the user name {login.username} and the password of {login.source}"
        )
    return response


def _token(connection: Connection, login: Credentials, challenge: str, scope: str) -> str:
    """A token for a challenge; "" when there is none, or another host issues it."""
    parameters = dict(_PARAMETER.findall(challenge))
    realm = urlsplit(parameters.get("realm", ""))
    if (realm.scheme, realm.netloc) != (connection.scheme, connection.host):
        return ""
    asked = {"service": parameters.get("service", ""), **({"scope": scope} if scope else {})}
    answer = send(connection, login, "GET", f"{realm.path}?{urlencode(asked)}")
    try:
        document = answer.json() if answer.status_code == httpx.codes.OK else {}
    except ValueError:
        return ""
    return str(document.get("token") or document.get("access_token") or "") if isinstance(document, dict) else ""
