"""A client of quick builds: sends a context as az does, and waits until the log is complete."""

import gzip
import io
import shutil
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.policy.azure.endpoint import REGISTRY, LiveEndpoint

BUSYBOX = "busybox"
FROM_NOTHING = "FROM scratch\nCOPY busybox /bin/busybox\n"
_SECONDS = 300


def run_line(script: str) -> str:
    """A RUN line in an image that has busybox and nothing else."""
    words = ", ".join(f'"{word}"' for word in ("/bin/busybox", "sh", "-c", script))
    return f"RUN [{words}]\n"


def busybox() -> bytes:
    """The program."""
    found = shutil.which(BUSYBOX)
    assert found, "busybox is needed"
    return Path(found).read_bytes()


def context_of(dockerfile: str, **files: bytes) -> bytes:
    """A gzip'd tar of a Dockerfile, busybox and other files."""
    content = {"Dockerfile": dockerfile.encode(), BUSYBOX: busybox(), **files}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), 1)


@dataclass(frozen=True)
class Finished:
    """A run that is over.

    Attributes:
        run: its id.
        complete: what the log's metadata says.
        log: its lines.
    """

    run: str
    complete: str
    log: list[str]


@dataclass(frozen=True)
class Sender:
    """Somebody who has signed in at an endpoint."""

    client: httpx.Client

    def send(self, context: bytes) -> str:
        """Send a context; where it lies."""
        place = self.client.post(f"{REGISTRY}/listBuildSourceUploadUrl").raise_for_status().json()
        bare = {"Authorization": ""}
        assert self.client.put(place["uploadUrl"], content=context, headers=bare).status_code == 201
        return str(place["relativePath"])

    def ask(self, context: bytes, *images: str, **more: Any) -> httpx.Response:
        """Ask for a build of a context."""
        body = {
            "type": "DockerBuildRequest",
            "imageNames": list(images),
            "isPushEnabled": bool(images),
            "sourceLocation": self.send(context),
            "dockerFilePath": "Dockerfile",
            "platform": {"os": "linux", "architecture": "amd64"},
            **more,
        }
        return self.client.post(f"{REGISTRY}/scheduleRun", json=body)

    def begin(self, dockerfile: str, *images: str, **more: Any) -> str:
        """Have a Dockerfile built; the run's id."""
        asked = self.ask(context_of(dockerfile), *images, **more).raise_for_status()
        return str(asked.json()["properties"]["runId"])

    def finish(self, run: str) -> Finished:
        """Wait until a run is over."""
        link = self.client.post(f"{REGISTRY}/runs/{run}/listLogSasUrl").raise_for_status().json()["logLink"]
        deadline = time.monotonic() + _SECONDS
        while not (complete := self.client.head(link).headers.get("x-ms-meta-complete")):
            assert time.monotonic() < deadline, self.client.get(link).text
            time.sleep(0.1)
        return Finished(run, complete, self.client.get(link).text.splitlines())

    def build(self, dockerfile: str, *images: str, **more: Any) -> Finished:
        """Have a Dockerfile built, and wait for it."""
        return self.finish(self.begin(dockerfile, *images, **more))


def sender(endpoint: LiveEndpoint, name: str = "admin") -> Sender:
    """A client that has signed in; the caller closes `client`."""
    return Sender(endpoint.signed_in(name))
