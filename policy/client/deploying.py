"""Asking for a deployment: at the gateway of the workspace, or at the standalone registry that the image is in.

A standalone registry is asked with the credentials of the configuration and no others, after they were tried with a
pull: it is they that the service would use.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from policy.client.api import PENDING, CheckNotPossible, Connection, ask
from policy.client.connection_options import ConnectionOptions
from policy.client.registry_pull import pull_digest, sign_in
from policy.gateway.check_result import CheckResult
from policy.gateway.deployments.registry_rules import REGISTRY_RULE
from policy.gateway.deployments.request import Profile
from policy.gateway.image_source import Kind
from policy.gateway.inference_config.interpret import InferenceConfig
from policy.gateway.inference_config.remarks import Remark, fail, unsure
from registry.oci.image_reference import ImageReference
from registry.registry_client.credentials import Credentials
from registry.registry_client.errors import SignInRefused

DEPLOYMENTS_PATH = "/policy/v1/deployments"
_SOURCE = "the inference configuration"
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DeployAnswer:
    """What came back.

    Attributes:
        result: the answer, and what was found on the way.
        document: the gateway's own words: `registryKind`, `pinned`, `deployment`, `receipt`; empty when none came.
    """

    result: CheckResult
    document: Mapping[str, Any]

    def with_remark(self, remark: Remark) -> "DeployAnswer":
        """The same answer with something that stands against it."""
        return DeployAnswer(self.result.with_remarks([remark], REGISTRY_RULE), self.document)

    def as_json(self) -> dict[str, Any]:
        """One document."""
        return {**self.document, **self.result.document()}


def check_deployment(
    options: ConnectionOptions, config: InferenceConfig, body: Mapping[str, Any], wait: float
) -> DeployAnswer:
    """Check a deployment, and have it recorded if that is wanted and allowed.

    Args:
        options: gateway and credentials of the caller.
        config: the inference configuration, for the image and the login that it names.
        body: of the request, without secrets.
        wait: how many seconds to repeat the check while the verdict is pending.

    Raises:
        CheckNotPossible, CredentialsUnusable, TrustUnusable, OciError: the check is not possible.
    """
    image = ImageReference.parse(config.image) if config.image else None
    login = _login(config)
    if not options.gateway:
        if image is None:
            raise CheckNotPossible(
                "no image is named: give --gateway HOST:PORT, whose setting says what the service takes"
            )
        if login is None or config.login is None or config.login.host != image.host:
            return _ask(options.connection_from_file(image, None), body, wait)
        return _at_standalone(options, image, login, body, wait)
    gateway = options.connection_to_gateway()
    own = login if config.login is not None and config.login.host == gateway.host else None
    refused = None if own is None else _refused_there(options, gateway, own)
    if own is not None and refused is None:
        gateway = replace(gateway, others=(*gateway.others, lambda: own))
    answer = _ask(gateway, body if refused is None else {**body, "record": False}, wait)
    if refused is not None:
        return answer.with_remark(refused)
    is_elsewhere = answer.document["registryKind"] == Kind.STANDALONE and not answer.result.stands_against
    if image is None or login is None or not is_elsewhere:
        return answer
    return _at_standalone(options, image, login, body, wait)


def _login(config: InferenceConfig) -> Credentials | None:
    login = config.login
    return Credentials(login.username, login.password, _SOURCE) if login and login.username and login.password else None


def _refused_there(options: ConnectionOptions, gateway: Connection, own: Credentials) -> Remark | None:
    """Try a login that the configuration has for the gateway itself, although the service would not need it."""
    try:
        sign_in(options.to(gateway.host, own), own)
    except SignInRefused as error:
        return fail(str(error))
    return None


def _at_standalone(
    options: ConnectionOptions, image: ImageReference, login: Credentials, body: Mapping[str, Any], wait: float
) -> DeployAnswer:
    connection = options.to(image.host, login)
    asked = {**body, "registry": Kind.STANDALONE.value}
    if body["profile"] == Profile.CLI:
        return _ask(connection, asked, wait)
    try:
        digest = pull_digest(connection, login, image)
    except SignInRefused as error:
        return _unresolved(image, fail(str(error)))
    try:
        return _ask(connection, asked, wait)
    except CheckNotPossible as error:
        took = f"{image.host} takes the user name and password, and has {image} ({digest or 'without a digest'})"
        needed = "copy it into the workspace's registry with basegate copy, where it is judged"
        return _unresolved(image, unsure(f"{took}, but does not judge images ({error}): {needed}"))


def _unresolved(image: ImageReference, remark: Remark) -> DeployAnswer:
    nothing = CheckResult(allowed=False, verdict="inconclusive", reference=str(image))
    document = {"registryKind": Kind.STANDALONE.value, "pinned": None, "deployment": None, "receipt": None}
    return DeployAnswer(nothing.with_remarks([remark], REGISTRY_RULE), document)


def _ask(connection: Connection, body: Mapping[str, Any], wait: float) -> DeployAnswer:
    end = time.monotonic() + wait
    answer = _answer(connection, body)
    while answer.result.verdict == PENDING and (left := end - time.monotonic()) > 0:
        time.sleep(min(_PAUSE_SECONDS, left))
        answer = _answer(connection, body)
    return answer


def _answer(connection: Connection, body: Mapping[str, Any]) -> DeployAnswer:
    document = ask(connection, "POST", DEPLOYMENTS_PATH, body)
    try:
        members = {name: document[name] for name in ("registryKind", "pinned", "deployment", "receipt")}
        return DeployAnswer(CheckResult.from_document(document), members)
    except (KeyError, TypeError, ValueError):
        raise CheckNotPossible(
            f"{connection.host} answered something else than a verdict: is it a basegate registry?"
        ) from None
