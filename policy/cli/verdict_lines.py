"""What became of an image that was moved: one line for people, one object for programs."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy.cli.transfer_options import Calling, RepositoryReference
from policy.client.api import CheckNotPossible, check_again
from policy.client.connection_options import ConnectionOptions
from policy.state import State
from registry.auth.principals import anonymous
from registry.errors import BasegateError, visible
from registry.oci.digest import Digest
from registry.oci.image_reference import ImageReference
from registry.transfer.copying import Copied

if TYPE_CHECKING:
    from policy.enforcement.gate import PolicyGate

_AGAINST = frozenset({"fail", "error"})
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on an image.

    Attributes:
        verdict: `cleared`, `refused`, …, `pending`; "" where nobody gives verdicts.
        policy: the name of the policy.
        reasons: what stands against it, or why there is no verdict.
    """

    verdict: str
    policy: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """`cleared by policy azureml-2019`, with the first reason."""
        by = f" by policy {self.policy}" if self.policy else ""
        why = f": {self.reasons[0]}" if self.reasons else ""
        more = f" (and {len(self.reasons) - 1} more: basegate explain)" if len(self.reasons) > 1 else ""
        return visible(f"{self.verdict or 'no verdict'}{by}{why}{more}")


Judge = Callable[[Copied], Awaitable[Judged]]
"""Asks for the verdict on what was copied."""


def judge_of_folder(gate: "PolicyGate", typed: RepositoryReference, wait: float) -> Judge:
    """Verdicts of a data folder's own gate; waits so many seconds for layers that are being looked into."""

    async def judge(copied: Copied) -> Judged:
        end = time.monotonic() + wait
        while True:
            standing = await gate.standing(anonymous(may_pull=False), typed.repository, copied.digest)
            if standing.verdict is not None:
                reasons = tuple(item.message for item in standing.verdict.findings if item.result in _AGAINST)
                return Judged(standing.verdict.state, standing.verdict.policy_name, reasons)
            if time.monotonic() >= end:
                return Judged(State.PENDING, str(standing.policy["name"]))

    return judge


def judge_of_server(calling: Calling, typed: RepositoryReference, wait: float) -> Judge:
    """Verdicts of a running server's gateway, asked as `basegate check` asks."""
    options = ConnectionOptions(
        os.environ, Path.home(), login=calling.login, ca_file=calling.ca_file, plain_http=calling.plain_http
    )

    def ask(digest: Digest) -> Judged:
        image = ImageReference(typed.host, typed.repository, None, digest)
        try:
            answer = check_again(options.connection(image), image, wait)
        except CheckNotPossible as error:
            return Judged("", "", (f"its registry gives none ({error})",))
        reasons = tuple(str(found["message"]) for found in answer.findings if found["result"] in _AGAINST)
        return Judged(answer.verdict, str(answer.policy.get("name") or ""), reasons)

    async def judge(copied: Copied) -> Judged:
        return await asyncio.to_thread(ask, copied.digest)

    return judge


async def nobody_judges(_copied: Copied) -> Judged:
    """Where a verdict is nobody's business."""
    return Judged("")


def image_document(typed: RepositoryReference, copied: Copied, judged: Judged) -> Mapping[str, Any]:
    """The object of an image for programs."""
    return {
        "event": "image",
        "image": image_name(typed, copied),
        "digest": copied.digest,
        "tag": copied.tag,
        "source": copied.name,
        "new": copied.new,
        "referrers": copied.referrers,
        "verdict": judged.verdict or None,
        "policy": judged.policy or None,
        "reasons": list(judged.reasons),
        "warnings": list(copied.warnings),
    }


def image_line(typed: RepositoryReference, copied: Copied, judged: Judged) -> str:
    """The line of an image for people."""
    what = "imported" if copied.new else "there already"
    more = "referrer" if copied.referrers == 1 else "referrers"
    with_them = f", with {copied.referrers} {more}" if copied.referrers else ""
    return f"{image_name(typed, copied)}@{copied.digest} {what}{with_them}: {judged.words}"


def image_name(typed: RepositoryReference, copied: Copied) -> str:
    """`HOST:PORT/team/app:v1`."""
    host = f"{typed.host}/" if typed.host else ""
    return f"{host}{typed.repository}{f':{copied.tag}' if copied.tag else ''}"


def failure_document(error: BasegateError) -> Mapping[str, Any]:
    """The object of an error for programs."""
    return {"event": "error", "message": str(error)}
