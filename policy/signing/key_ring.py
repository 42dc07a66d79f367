"""A key that signs, and the public halves of those before it: a file with the one, a file with the others."""

import fcntl
import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, generate_private_key

from policy.signing.public_keys import KeysUnreadable, of_jwk, public_jwk, public_pem
from registry.auth.signing_key import SigningKey, SigningKeyUnusable, kid_of, private_pem, signing_key
from registry.storage.disk.atomic_file import replace_file

VERDICT_KEY_FILE = Path("keys/verdicts.pem")
_LOOK_AGAIN = 0.25


class KeyRing:
    """The keys of a data folder. Another process may rotate them: the files are looked at four times a second at most.

    Args:
        data: the data folder.
        file: of the private key, in PEM, made when there is none; the earlier public keys are beside it.

    Raises:
        SigningKeyUnusable, KeysUnreadable, OSError: the files cannot be used.
    """

    def __init__(self, data: Path, file: Path) -> None:
        self._data = data
        self._file = file
        self._lock = threading.Lock()
        self._next_look = 0.0
        self._read()

    @property
    def current(self) -> SigningKey:
        """The key that signs now."""
        if time.monotonic() >= self._next_look:
            self._look()
        return self._current

    def public(self) -> list[EllipticCurvePublicKey]:
        """The public halves of all keys, the current one first."""
        return [self.current.private.public_key(), *self._earlier]

    def jwks(self) -> list[dict[str, Any]]:
        """`public` as JSON Web Keys."""
        return [public_jwk(key) for key in self.public()]

    def pem(self) -> bytes:
        """The public half of the current key, in PEM."""
        return public_pem(self.current.private.public_key())

    def rotate(self) -> SigningKey:
        """Sign with a new key from now on; the earlier one stays among the public ones (blocking, durable).

        The earlier public key is written before the new key counts: nothing that was signed ever lacks its key.
        """
        path = self._data / self._file
        with _beside(path, ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._read()
            jwks = [public_jwk(key) for key in self.public()]
            replace_file(_earlier_file(path), json.dumps({"keys": jwks}, indent=2).encode())
            replace_file(path, private_pem(generate_private_key(SECP256R1())))
            self._read()
        return self._current

    def _look(self) -> None:
        with self._lock:
            self._next_look = time.monotonic() + _LOOK_AGAIN
            # A file that cannot be read now changes nothing: what was read before counts.
            with suppress(OSError, SigningKeyUnusable, KeysUnreadable):
                if self._stamp() != self._seen:
                    self._read()

    def _read(self) -> None:
        path = self._data / self._file
        key = signing_key(self._data, self._file)
        stamp = self._stamp()
        kid = key.kid
        self._earlier: Sequence[EllipticCurvePublicKey] = [
            each for each in _earlier_keys(_earlier_file(path)) if kid_of(each) != kid
        ]
        self._current, self._seen = key, stamp

    def _stamp(self) -> tuple[int, int]:
        status = (self._data / self._file).stat()
        return status.st_ino, status.st_mtime_ns


def _earlier_file(path: Path) -> Path:
    return path.with_name(f"{path.stem}-earlier.json")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}{suffix}")


def _earlier_keys(path: Path) -> list[EllipticCurvePublicKey]:
    try:
        document = json.loads(path.read_bytes())
        return [of_jwk(jwk) for jwk in document["keys"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise KeysUnreadable(f"{path} cannot be read ({error}): restore it from a copy, or remove it") from None
