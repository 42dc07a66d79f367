"""The registry of an inference configuration's image: address and credentials.

The behaviour was measured with azureml-core 1.0.53 and 1.61.0; docs/inference-configurations.md has the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policy.gateway.inference_config.remarks import Remark, fail, warn
from registry.oci.kinds import kind_of

PARTS = ("address", "username", "password")


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """Address and credentials; "" for unset members. `repr` does not show the password."""

    address: str
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """`HOST[:PORT]` of the address, which may be a URL."""
        return self.address.lower().removeprefix("https://").removeprefix("http://").rstrip("/")


Reading = tuple[RegistryLogin | None, tuple[Remark, ...]]


def read_plain_registry(value: Any) -> Reading:
    """`baseImageRegistry` at the top level: nothing, an address, or an object with all three parts."""
    if value is None or value == "":
        return None, ()
    if isinstance(value, str):
        remark = (
            "baseImageRegistry is text: read as an address; the SDK itself stops with 'str' object has no attribute"
        )
        return RegistryLogin(value.strip()), (warn(f"{remark} 'address', write null or use the environment form"),)
    login, remarks = _parts(value, "baseImageRegistry")
    if login is None or remarks:
        return login, remarks
    if not (login.username and login.password and login.address):
        return login, (fail(f"baseImageRegistry has {_given(login)} only: needs address, username and password"),)
    remark = "baseImageRegistry is an object: read here, but the SDK stops at it outside the environment form"
    return login, (warn(f"{remark}; move it to environment.docker.baseImageRegistry"),)


def read_environment_registry(value: Any) -> Reading:
    """`environment.docker.baseImageRegistry`: nothing or an object; credentials come in pairs, with an address."""
    if value is None or value == "":
        return None, ()
    key = "environment.docker.baseImageRegistry"
    if isinstance(value, str):
        remark = warn(f"{key} is text: the SDK drops it without a word; needs an object with address")
        return RegistryLogin(value.strip()), (remark,)
    login, remarks = _parts(value, key)
    if login is None or remarks:
        return login, remarks
    complete = bool(login.username) == bool(login.password) and (login.address or not login.username)
    if not complete:
        return login, (fail(f"{key} has {_given(login)} only: needs address, username and password"),)
    return login, ()


def _parts(value: Any, key: str) -> Reading:
    if not isinstance(value, Mapping):
        return None, (fail(f"{key} is {kind_of(value)}: needs null or address, username and password"),)
    wrong = [part for part in PARTS if not isinstance(value.get(part), str | None)]
    if wrong:
        return None, (fail(f"{key}.{wrong[0]} is {kind_of(value[wrong[0]])}: needs text"),)
    address, username, password = (value.get(part) or "" for part in PARTS)
    if not (address or username or password):
        return None, ()
    return RegistryLogin(address.strip(), username, password), ()


def _given(login: RegistryLogin) -> str:
    return " and ".join(part for part in PARTS if getattr(login, part))
