"""A run: one build, from the moment it is asked for until its log is complete."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from registry.oci.timestamp import timestamp


class RunStatus(StrEnum):
    """In ACR's words."""

    QUEUED = "Queued"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"
    TIMEOUT = "Timeout"
    ERROR = "Error"

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self not in {RunStatus.QUEUED, RunStatus.RUNNING}


COMPLETE = {
    RunStatus.SUCCEEDED: "successful",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "canceled",
    RunStatus.TIMEOUT: "timedout",
    RunStatus.ERROR: "internalerror",
}
"""What the log's metadata `complete` says; az's exit code depends on it."""


@dataclass(slots=True)
class Run:
    """One run; times in seconds since the epoch, 0.0 for one that has not come.

    Attributes:
        id: letters and digits.
        owner: id of the principal that asked for it.
        owner_name: its name.
        images: names that were asked for.
        platform: `linux/amd64`.
        outputs: `{"repository", "tag", "digest"}` of what was pushed.
    """

    id: str
    owner: str
    owner_name: str
    images: list[str]
    platform: str
    created: float
    status: RunStatus = RunStatus.QUEUED
    started: float = 0.0
    finished: float = 0.0
    outputs: list[dict[str, str]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """What is kept of it."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Run":
        """Read what was kept. Raises TypeError or ValueError when it is something else."""
        return cls(**document | {"status": RunStatus(document["status"])})

    def properties(self, login_server: str) -> dict[str, Any]:
        """The properties of a run as a resource (Microsoft.ContainerRegistry/registries/runs)."""
        system, _, rest = self.platform.partition("/")
        architecture, _, variant = rest.partition("/")
        last = self.finished or self.started or self.created
        return {
            "runId": self.id,
            "status": self.status.value,
            "runType": "QuickBuild",
            "provisioningState": "Succeeded",
            "createTime": timestamp(self.created),
            "startTime": timestamp(self.started) if self.started else None,
            "finishTime": timestamp(self.finished) if self.finished else None,
            "lastUpdatedTime": timestamp(last),
            "outputImages": [{"registry": login_server, **each} for each in self.outputs],
            "platform": {"os": system, "architecture": architecture or "amd64", "variant": variant or None},
            "agentConfiguration": {"cpu": 2},
            "isArchiveEnabled": False,
        }


def duration(seconds: float) -> str:
    """`2m56s`, `5s`, `1h0m3s`: whole seconds, as ACR's last line says it."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    text = f"{whole % 60}s"
    if whole >= 60:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


_DIGITS = "123456789abcdefghijklmnopqrstuvwxyz"
_FIRST = len(_DIGITS) * _DIGITS.index("a") - 1


def run_id(number: int) -> str:
    """`ca1`, `ca2`, … `caz`, `cb1`, … `czz`, `c211`, …: counted from 1."""
    text, number = "", number + _FIRST
    while number:
        number, rest = divmod(number, len(_DIGITS))
        text = _DIGITS[rest] + text
    return f"c{text}"
