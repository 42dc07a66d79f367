"""Builds the objects of authentication and authorisation once at start-up."""

from pathlib import Path

from registry.auth.access import Access
from registry.auth.enrolment import SECRET_NAMES
from registry.auth.principal_cache import Directory
from registry.auth.secret_verifier import SecretCheck
from registry.auth.sign_in import SignIn
from registry.auth.signing_key import signing_key
from registry.auth.throttle import Throttle
from registry.auth.token_service import TokenService
from registry.auth.tokens import Tokens
from registry.config.settings import RegistrySettings, SettingsInForce
from registry.metadata.store import MetadataStore


class Authority:
    """Owns the signing key, the secret checks and their caches.

    Args:
        data: the data folder; a missing signing key is made in it.
        metadata: where the principals are.
        settings: section `auth`; live settings are read each time.

    Raises:
        SigningKeyUnusable: the key file cannot be used.
        OSError: the data folder cannot be written.
    """

    def __init__(self, data: Path, metadata: MetadataStore, settings: SettingsInForce[RegistrySettings]) -> None:
        auth = settings.current.auth
        self._secrets = SecretCheck(auth, len(SECRET_NAMES), lambda: settings.current.auth.hashing_waiting)
        self.directory = Directory(metadata)
        self.tokens = Tokens(signing_key(data), settings)
        throttle = Throttle(lambda: settings.current.auth.throttle)
        self.sign_in = SignIn(self.directory, self._secrets, self.tokens, throttle, settings)
        self.access = Access(self.sign_in, settings)
        self.token_service = TokenService(self.sign_in, self.tokens, settings)

    def close(self) -> None:
        """End the hashing threads."""
        self._secrets.close()
