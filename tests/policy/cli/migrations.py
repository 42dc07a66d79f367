"""A registry with something of everything, that moves out of its data folder and back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from policy.app import build
from policy.cli.main import basegate
from policy.settings import Settings
from registry.oci.names import Tag
from tests.clients.trees import cleared_image, refused_image
from tests.policy.cli.test_both_places import said
from tests.policy.live import LiveGateway, live_gateway
from tests.postgres import PostgresServer
from tests.registry.open_services import open_services
from tests.registry.storage.object_servers import ObjectServer
from tests.repository import Repository
from tests.servers import quiet, running

LARGE = bytes(range(256)) * 9000
"""A blob that is not held in memory on its way."""
BEFORE = {"gc": {"grace_seconds": 0}}
_CHANGES = (
    "policy exempt --repositories team/old --rule python-version --owner ann --reason moves --until 2999-01-01",
    "policy activate azureml-2020-09 --repositories elsewhere/*",
    "principal create ci --role AcrPush --repositories team/*",
    "tag lock team/app:good",
    "manifest rm team/gone:v1 --yes",
    "gc run",
)
_LOOKS = (
    "repo ls",
    "repo show team/app",
    "tag history team/app:good",
    "manifest ls team/app",
    "principal list",
    "trash ls",
    "policy list",
    "policy exemptions",
)


@dataclass(frozen=True)
class Home:
    """A data folder, and where its content may move to.

    Attributes:
        data: the folder.
        storage: the group `storage` of the settings for its object store.
        metadata: the group `metadata` for its database.
    """

    data: Path
    storage: dict[str, Any]
    metadata: dict[str, Any]

    @classmethod
    def beside(cls, folder: Path, server: ObjectServer, postgres: PostgresServer) -> "Home":
        """With an empty prefix and an empty database."""
        return cls(folder / "data", server.settings(folder / "keys"), postgres.settings())

    def with_images(self) -> "Home":
        """Make a registry there in a moment, with an image; what is small waits in the journal."""
        with open_services(self.data) as services:
            services.run(services.push_image(Tag("v1"), (b"small", LARGE)))
        return self

    @property
    def variables(self) -> dict[str, str]:
        """What a command has to know of the store and the database beside their URLs."""
        groups = {"STORAGE": self.storage, "METADATA": self.metadata}
        return {"BASEGATE_GC__GRACE_SECONDS": "0"} | {
            f"BASEGATE_{group}__{name.upper()}": str(value)
            for group, values in groups.items()
            for name, value in values.items()
            if name != "url"
        }

    @property
    def urls(self) -> tuple[str, str]:
        """Of both."""
        return self.storage["url"], self.metadata["url"]

    def words(self, *urls: str, back: bool = False) -> list[str]:
        """Of the command that moves what the URLs are for, or both."""
        here, there = ("--to", "--from") if back else ("--from", "--to")
        words = ["migrate", here, str(self.data)]
        for url in urls or self.urls:
            words += [there, url]
        return words

    def move(self, *urls: str, back: bool = False, flags: tuple[str, ...] = ()) -> Result:
        """Run that command."""
        return CliRunner().invoke(basegate, [*self.words(*urls, back=back), *flags], env=self.variables)

    def moved(self, *urls: str, back: bool = False, flags: tuple[str, ...] = ()) -> dict[str, Any]:
        """The same, which must have moved everything; what it tells."""
        done = self.move(*urls, back=back, flags=("--json", *flags))
        assert done.exit_code == 0, done.output
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def on_folder(self, command: str, *outside: str) -> Result:
        """A command on the data folder whose content is `outside`: in its `storage`, its `metadata`."""
        urls = {f"BASEGATE_{group.upper()}__URL": getattr(self, group)["url"] for group in outside}
        words = [*command.split(), "--data", str(self.data)]
        return CliRunner().invoke(basegate, words, env=self.variables | urls)

    def groups(self, *outside: str) -> dict[str, Any]:
        """The settings of a server."""
        return BEFORE | {group: getattr(self, group) for group in outside}

    @contextmanager
    def serving(self, secrets: dict[str, str], *outside: str) -> Iterator[LiveGateway]:
        """A server over what is there."""
        settings = Settings.model_validate(quiet(self.data, **self.groups(*outside)))
        with running(build(settings)) as live:
            yield LiveGateway(live, secrets)


def fill(home: Home) -> dict[str, str]:
    """Make a registry with something of everything; the secrets of its principals."""
    with live_gateway(home.data, **home.groups()) as live:
        for folder, name in (("first", "team/gone:v1"), ("bad", "team/app:bad"), ("before", "team/app:good")):
            live.push(home.data.parent / folder, name, refused_image(folder))
        live.push(home.data.parent / "good", "team/app:good", cleared_image(large=True))
        with live.client("admin") as client:
            Repository(client, "team/data").image("v1", Repository(client, "team/data").blob(LARGE))
        live.settle()
        secrets = live.secrets
    for command in _CHANGES:
        done = home.on_folder(command)
        assert done.exit_code == 0, (command, done.output)
    return secrets


def told(home: Home, secrets: dict[str, str], *outside: str) -> dict[str, Any]:
    """What commands tell of the registry, and its server serves of it."""
    found: dict[str, Any] = {command: said(home.on_folder(command, *outside)) for command in _LOOKS}
    found["verify"] = home.on_folder("verify --digests", *outside).exit_code
    with home.serving(secrets, *outside) as live:
        found |= _served(live)
        found["checks"] = [_checked(live, f"{live.host}/team/app:{tag}") for tag in ("good", "bad")]
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """What is not as it was before. Events of verdicts may have come since, behind the others."""
    known = len(before["events"])
    return {
        name for name, value in before.items() if (after[name][:known] if name == "events" else after[name]) != value
    }


def _served(live: LiveGateway) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with live.client("admin") as client:
        names = client.get("/v2/_catalog").json()["repositories"]
        for name in names:
            repository = Repository(client, name)
            for tag in repository.get("tags/list").json()["tags"]:
                image = repository.get(f"manifests/{tag}")
                found[f"{name}:{tag}"] = image.content
                for layer in image.json()["layers"]:
                    found[layer["digest"]] = repository.get(f"blobs/{layer['digest']}").content
        found["events"] = client.get("/policy/v1/events", params={"after": 0, "limit": 1000}).json()["events"]
    with live.client("reader") as reader:
        found["withheld"] = reader.get("/v2/team/app/manifests/bad").status_code
    return found


def _checked(live: LiveGateway, reference: str) -> Any:
    body = live.check("reader", reference=reference).json()
    return [body["allowed"], body["verdict"], body["digest"]]
