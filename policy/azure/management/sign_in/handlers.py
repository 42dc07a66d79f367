"""The handlers of signing in: discovery, token, device code, and the pages."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from policy.azure.arm_errors import SignInError
from policy.azure.management.dispatch import Call
from policy.azure.management.environment import AzureEnvironment
from policy.azure.management.sign_in.pages import sent_on_page, sign_in_page, told_page
from policy.azure.management.sign_in.token_endpoint import TokenEndpoint, signed_in
from policy.azure.management.sign_in.tokens import client_info
from policy.azure.management.sign_in.under_way import Grant, UnderWay
from registry.api.request_body import read_limited
from registry.auth.sign_in import Identity
from registry.auth.token_form import parse_form
from registry.auth.token_service import TokenService
from registry.oci.errors import OciError
from registry.oci.image_reference import is_loopback
from registry.telemetry.request_record import request_record_of

_PRIVATE = {"Cache-Control": "no-store"}
_INTERVAL_SECONDS = 1
# What the sign-in page carries from the request that opened it to the one that ends it (RFC 6749 section 4.1.1).
_CARRIED = ("client_id", "redirect_uri", "state", "nonce", "scope", "response_mode", "code_challenge")
_FIELD_MAXIMUM = 4096


class SignInHandlers:
    """The handlers.

    Args:
        token_service: checks secrets and makes tokens.
        under_way: sign-ins that have been begun.
        environment: Azure as the caller of a request sees it.
        form_bytes: longest form.
    """

    def __init__(
        self,
        token_service: TokenService,
        under_way: UnderWay,
        environment: Callable[[Request], AzureEnvironment],
        form_bytes: Callable[[], int],
    ) -> None:
        self._token_service = token_service
        self._under_way = under_way
        self._endpoint = TokenEndpoint(token_service, under_way)
        self._environment = environment
        self._form_bytes = form_bytes

    async def discover(self, call: Call) -> Response:
        """GET: where to go (OpenID Connect Discovery, section 3)."""
        url = self._environment(call.request).url
        at = f"{url}/adfs/oauth2"
        return JSONResponse(
            {
                "issuer": f"{url}/adfs",
                "authorization_endpoint": f"{at}/authorize",
                "token_endpoint": f"{at}/token",
                "device_authorization_endpoint": f"{at}/devicecode",
                "jwks_uri": f"{url}/adfs/discovery/keys",
                "response_types_supported": ["code"],
                "response_modes_supported": ["form_post", "query"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["none"],
            }
        )

    async def keys(self, _call: Call) -> Response:
        """GET: keys of id tokens; they have none (see `tokens`)."""
        return JSONResponse({"keys": []})

    async def token(self, call: Call) -> Response:
        """POST: tokens (RFC 6749 section 3.2)."""
        form = await self._form(call.request)
        identity, reply = await self._endpoint.answer(form, self._environment(call.request), _address(call.request))
        _record(call.request, identity)
        return JSONResponse(reply, headers=_PRIVATE)

    async def device_code(self, call: Call) -> Response:
        """POST: a code for a device, and one for its person (RFC 8628 section 3.2)."""
        form = await self._form(call.request)
        client = form.get("client_id", "")[:_FIELD_MAXIMUM]
        if not client:
            raise SignInError("invalid_request", "AADSTS900144: the form has no client_id: send one")
        device = self._under_way.begin(client, form.get("scope", "")[:_FIELD_MAXIMUM], _address(call.request))
        page = f"{self._environment(call.request).url}/device"
        return JSONResponse(
            {
                "device_code": device.device_code,
                "user_code": device.user_code,
                "verification_uri": page,
                "expires_in": int(self._under_way.seconds),
                "interval": _INTERVAL_SECONDS,
                "message": f"To sign in, open {page} in a browser and enter the code {device.user_code}.",
            },
            headers=_PRIVATE,
        )

    async def device_page(self, call: Call) -> Response:
        """GET: the page for a device's code."""
        return sign_in_page(_FOR_DEVICE, {}, code=call.request.query_params.get("code", "")[:16])

    async def allow_device(self, call: Call) -> Response:
        """POST: a person signs in for a device."""
        form = await self._form(call.request)
        code = form.get("user_code", "")[:16]
        try:
            identity = await self._sign_in(call.request, form)
        except SignInError as error:
            return _again(
                call.request,
                error,
                sign_in_page(_FOR_DEVICE, {}, _plain(error), error.status, code),
            )
        device = self._under_way.waiting(code)
        if device is None:
            wrong = "this code is not known or has expired: look at the other program again"
            return sign_in_page(_FOR_DEVICE, {}, wrong, 400, "")
        self._under_way.allow(device, identity)
        return told_page("Signed in", "The other program goes on now; this page may be closed.")

    async def authorize_page(self, call: Call) -> Response:
        """GET: the page that a program opens in a browser (RFC 6749 section 4.1.1, RFC 7636)."""
        wanted = call.request.query_params
        wrong = _refusal(wanted, wanted.get("response_type", ""), wanted.get("code_challenge_method", ""))
        if wrong:
            return told_page("Not a sign-in", wrong, 400)
        return sign_in_page(_FOR_PROGRAM, {name: wanted.get(name, "") for name in _CARRIED})

    async def authorize(self, call: Call) -> Response:
        """POST: a person signs in; the program gets a code."""
        form = await self._form(call.request)
        wrong = _refusal(form, "code", "S256")
        if wrong:
            return told_page("Not a sign-in", wrong, 400)
        carried = {name: form.get(name, "") for name in _CARRIED}
        try:
            identity = await self._sign_in(call.request, form)
        except SignInError as error:
            return _again(call.request, error, sign_in_page(_FOR_PROGRAM, carried, _plain(error), error.status))
        grant = Grant(
            carried["client_id"],
            carried["redirect_uri"],
            carried["code_challenge"],
            carried["nonce"],
            carried["scope"],
            identity,
        )
        environment = self._environment(call.request)
        fields = {"code": self._under_way.grant(grant), "client_info": client_info(environment, identity)}
        return _sent_on(carried, fields)

    async def _sign_in(self, request: Request, form: Mapping[str, str]) -> Identity:
        name, secret = form.get("username", ""), form.get("password", "")
        if not name or not secret:
            raise SignInError("invalid_request", "a name and a secret are needed")
        identity = await signed_in(self._token_service, name, secret, _address(request))
        _record(request, identity)
        return identity

    async def _form(self, request: Request) -> dict[str, str]:
        return dict(parse_form(await read_limited(request, self._form_bytes())))


_FOR_DEVICE = "Sign in for another program"
_FOR_PROGRAM = "Sign in"


def _sent_on(carried: Mapping[str, str], fields: dict[str, str]) -> Response:
    address = carried["redirect_uri"]
    fields |= {"state": carried["state"]} if carried["state"] else {}
    if carried["response_mode"] == "form_post":
        return sent_on_page(address, fields)
    return RedirectResponse(f"{address}{'&' if '?' in address else '?'}{urlencode(fields)}", 303, headers=_PRIVATE)


def _refusal(wanted: Mapping[str, str], response_type: str, method: str) -> str:
    """Why no code is given out for this; "" when it is. A code goes to a program of this person's machine only."""
    if any(len(wanted.get(name, "")) > _FIELD_MAXIMUM for name in _CARRIED):
        return f"a parameter is longer than {_FIELD_MAXIMUM} characters"
    if response_type != "code":
        return f"response_type is {response_type[:64]!r}: needs code"
    if not wanted.get("client_id"):
        return "client_id is missing"
    if not wanted.get("code_challenge") or method != "S256":
        return "code_challenge is missing, or its method is not S256: needs PKCE (RFC 7636)"
    if not _is_own_machine(wanted.get("redirect_uri", "")):
        return (
            f"redirect_uri is {wanted.get('redirect_uri', '')[:128]!r}: needs http://localhost:PORT, where az listens"
        )
    return ""


def _is_own_machine(address: str) -> bool:
    if not address.isascii() or not address.isprintable() or any(c in address for c in " ;,\"'\\<>"):
        return False
    try:
        parts = urlsplit(address)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme == "http" and "@" not in parts.netloc and is_loopback(parts.netloc) and port_is_good


def _again(request: Request, error: OciError, page: Response) -> Response:
    """The page once more, with when to come again, and for the audit who was tried."""
    request_record = request_record_of(request.scope)
    if request_record is not None:
        request_record.error = error.__cause__ if isinstance(error.__cause__, OciError) else error
    if "Retry-After" in error.headers:
        page.headers["Retry-After"] = error.headers["Retry-After"]
    return page


def _plain(error: SignInError) -> str:
    """Without the number that programs look for."""
    return error.message.partition(": ")[2] if error.message.startswith("AADSTS") else error.message


def _record(request: Request, identity: Identity) -> None:
    request_record = request_record_of(request.scope)
    if request_record is not None:
        request_record.principal = identity.principal


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
