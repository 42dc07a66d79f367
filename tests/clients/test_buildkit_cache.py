"""BuildKit's registry cache (`make artifacts`), in the form of an index of layers and in that of an image manifest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.oci.media_types import OCI_INDEX
from tests.clients.daemons import daemon
from tests.clients.program import Outcome, Program
from tests.clients.site import Site
from tests.installation import Account

DOCKERFILE = "FROM scratch\nCOPY one /one\nCOPY two /two\n"
pytestmark = [
    pytest.mark.parametrize("site", ["HTTP"], indirect=True),
    pytest.mark.client("buildkitd"),
]


class Builder:
    """A buildkitd of its own, so that what it does not build comes from the cache of the registry."""

    def __init__(self, folder: Path, context: Path, socket: Path) -> None:
        self._folder, self._context, self._socket = folder, context, socket

    def build(self, account: Account, host: str, *cache: str) -> Outcome:
        """Build the context as a principal."""
        home = self._folder / account.username
        home.mkdir(exist_ok=True)
        crane = Program(("crane",), home)
        crane.run("auth", "login", host, "-u", account.username, "--password-stdin", text=account.password).check()
        program = Program(("buildctl", "--addr", f"unix://{self._socket}"), home)
        local = [f"--local={name}={self._context}" for name in ("context", "dockerfile")]
        return program.run("build", "--progress=plain", "--frontend=dockerfile.v0", *local, *cache)


@pytest.fixture
def builders(homes: Path) -> Iterator[list[Builder]]:
    """Two of them, with a context of two files."""
    context = homes / "context"
    context.mkdir()
    for name, text in (("one", "1" * 100_000), ("two", "2"), ("Dockerfile", DOCKERFILE)):
        (context / name).write_text(text)
    folders = [homes / name for name in ("first", "second")]
    made = [Builder(folder, context, folder / "s") for folder in folders]
    commands = []
    for folder in folders:
        folder.mkdir()
        place = ("--root", str(folder / "root"), "--addr", f"unix://{folder / 's'}")
        commands.append(["buildkitd", *place, "--oci-worker-snapshotter=native", "--containerd-worker=false"])
    first, second = (
        daemon(command, folder / "s", folder / "log") for command, folder in zip(commands, folders, strict=True)
    )
    with first, second:
        yield made


@pytest.mark.parametrize("as_index", [True, False], ids=["index", "image manifest"])
def test_a_cache_is_exported_and_imported(site: Site, builders: list[Builder], as_index: bool) -> None:
    """By an owner, and by a principal that may only pull; it is no image."""
    host = site.endpoint.host
    name = f"{host}/team/cache-{str(as_index).lower()}:v1"
    form = f"image-manifest={str(not as_index).lower()},oci-mediatypes=true,mode=max"
    builders[0].build(
        site.owner, host, f"--export-cache=type=registry,ref={name},registry.insecure=true,{form}"
    ).check()
    with site.http() as http:
        found = http.get(f"/v2/team/cache-{str(as_index).lower()}/manifests/v1", headers={"Accept": "*/*"})
        answer = http.post("/policy/v1/references:check", json={"reference": name}).json()
    assert (found.headers["content-type"] == OCI_INDEX, answer["verdict"]) == (as_index, "not-applicable")
    imported = builders[1].build(site.reader, host, f"--import-cache=type=registry,ref={name},registry.insecure=true")
    assert imported.check().output.count("CACHED") == 2
