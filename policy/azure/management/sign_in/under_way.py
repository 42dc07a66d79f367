"""Sign-ins that are under way: codes that a device waits with, and codes that a browser brings back. In memory."""

import secrets
from dataclasses import dataclass

from policy.azure.expiring import Expiring
from registry.auth.sign_in import Identity

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels: no words (RFC 8628 section 6.1)


@dataclass(slots=True)
class Device:
    """A device that waits until its person has signed in.

    Attributes:
        client_id: the program that asked.
        device_code: what it asks with.
        user_code: what the person types.
        scope: what it asked for.
        identity: who signed in, once somebody has.
    """

    client_id: str
    device_code: str
    user_code: str
    scope: str
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a browser brings back to the program that opened it.

    Attributes:
        client_id, redirect_uri, challenge, nonce, scope: of the request.
        identity: who signed in.
    """

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str
    scope: str
    identity: Identity


class UnderWay:
    """All sign-ins that have been begun."""

    def __init__(self, entries: int, seconds: float) -> None:
        self.seconds = seconds
        self._by_device: Expiring[Device] = Expiring(entries, seconds)
        self._by_user: Expiring[Device] = Expiring(entries, seconds)
        self._grants: Expiring[Grant] = Expiring(entries, seconds)

    def begin(self, client_id: str, scope: str, address: str) -> Device:
        """A device at this address that waits from now on."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        device = Device(client_id, secrets.token_urlsafe(32), f"{letters[:4]}-{letters[4:]}", scope)
        self._by_device.put(device.device_code, device, address)
        self._by_user.put(device.user_code, device, address)
        return device

    def waiting(self, user_code: str) -> Device | None:
        """The device that shows this code, in any case and with or without its hyphen."""
        letters = "".join(c for c in user_code.upper() if c.isalpha())
        return self._by_user.get(f"{letters[:4]}-{letters[4:]}")

    def allow(self, device: Device, identity: Identity) -> None:
        """Its person has signed in; the code is used up."""
        device.identity = identity
        self._by_user.take(device.user_code)

    def device(self, device_code: str) -> Device | None:
        """Who asks with this code."""
        return self._by_device.get(device_code)

    def end(self, device: Device) -> None:
        """It got its tokens."""
        self._by_device.take(device.device_code)

    def grant(self, grant: Grant) -> str:
        """The code of a grant."""
        code = secrets.token_urlsafe(32)
        self._grants.put(code, grant, grant.identity.principal.id)
        return code

    def redeem(self, code: str) -> Grant | None:
        """The grant of a code, once."""
        return self._grants.take(code)
