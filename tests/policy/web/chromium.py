"""Debian's Chromium, driven by playwright: every page in light and dark, wide and narrow, with and without scripts."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from registry.oci.digest import Digest
from registry.oci.media_types import OCI_MANIFEST
from tests.clients.layouts import DEFAULT_PATH, Image, Layout, layer_blob
from tests.clients.trees import OS_RELEASE, cleared_image, miniconda, refused_image
from tests.conftest import missing
from tests.policy.images_made import artifact, damaged
from tests.policy.live import LiveGateway, live_gateway
from tests.repository import Repository

LONG_NAME = f"{'long-' * 20}name/{'z' * 120}"
LONG_TAG = "t" * 128
HOSTILE = "<img src=x onerror=alert(1)>"
PREFIX = f"opt/{HOSTILE}"
ORPHAN = b"named by nothing"
EXEMPTED = {"repositories": "team/exempt", "rule": "python-version", "owner": "lee", "reason": "Until the move."}
LAYER = Digest.of(layer_blob(miniconda()))


def _digest_of(image: Image) -> str:
    with TemporaryDirectory() as folder:
        return Layout(Path(folder) / "it").add("it", image)


MOVED = _digest_of(cleared_image("first"))
"""What `team/moved:v1` pointed at before."""
PATHS = (
    *("/", "/?q=app", "/?q=nothing", f"/?q={HOSTILE}", "/r/team/app", "/r/team/app:good", "/r/team/app:bad"),
    *(
        "/r/team/multi:v1",
        "/r/team/moved",
        "/r/team/moved:v1",
        "/r/team/hostile:v1",
        f"/r/{LONG_NAME}:{LONG_TAG}",
        "/compare/team/app?from=bad&to=good",
    ),
    *("/search", "/search?where=verdict%3Drefused", "/search?where=nonsense&os=ubuntu"),
    *(
        "/activity",
        "/activity?show=refused",
        f"/layers/{LAYER}",
        "/policies",
        "/policies?replay=azureml-2020-11",
        "/exemptions",
        "/principals",
        "/gc?plan=yes",
    ),
    *("/r/team/chart:v1", "/r/team/damaged:v1", "/r/team/exempt:v1", f"/?q={MOVED[7:15]}"),
    *(f"/gc?explain={LAYER}", f"/gc?explain={Digest.of(ORPHAN)}"),
    *(f"/rollback/team/moved:v1?to={MOVED}", f"/delete/team/moved@{MOVED}"),
    *("/openapi", "/delete/team/app:good", "/rotate/reader", "/r/no/such", "/sign-in"),
)
"""Every kind of page; the last two are a refusal and the form that callers see who have not signed in."""


def hostile_image() -> Image:
    """One whose paths and settings are markup."""
    tree = {
        "etc/os-release": OS_RELEASE,
        "bin/sh": b"\x7fELF",
        f"{PREFIX}/conda-meta/history": b"",
        f"{PREFIX}/conda-meta/conda-4.4.1-py37_0.json": b'{"name": "conda", "version": "4.4.1", "build": "py37_0"}',
        f"{PREFIX}/bin/conda": b"#!/bin/sh\n",
    }
    return Image((tree,), f"/{PREFIX}/bin:{DEFAULT_PATH}")


@contextmanager
def shown_registry(folder: Path) -> Iterator[LiveGateway]:
    """A server with images of every kind that the paths name."""
    images = {
        "team/app:bad": [refused_image()],
        "team/app:good": [cleared_image(large=True)],
        "team/multi:v1": [cleared_image(), cleared_image(architecture="arm64")],
        "team/hostile:v1": [hostile_image()],
        "team/exempt:v1": [refused_image()],
        f"{LONG_NAME}:{LONG_TAG}": [cleared_image()],
    }
    with live_gateway(folder / "data", attest={"referrer": "virtual"}, gc={"grace_seconds": 0}) as gateway:
        for number, (reference, made) in enumerate(images.items()):
            gateway.push(folder / str(number), reference, *made)
        for name in ("first", "second"):
            gateway.push(folder / name, "team/moved:v1", cleared_image(name))
        gateway.check("reader", reference=f"{gateway.host}/team/app:bad")
        _push_what_is_no_sound_image(gateway)
        yield gateway


def _push_what_is_no_sound_image(gateway: LiveGateway) -> None:
    """An artifact, an image that cannot be judged, what nothing names; and an exemption."""
    with gateway.client("admin") as client:
        for name, made in (("team/chart", artifact()), ("team/damaged", damaged())):
            repository = Repository(client, name)
            for content in made.blobs:
                repository.blob(content)
            repository.put("v1", made.manifest, OCI_MANIFEST).raise_for_status()
        Repository(client, "team/app").blob(ORPHAN)
        client.post("/admin/v1/exemptions", json={**EXEMPTED, "until": "2999-01-31"}).raise_for_status()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; its sandbox does not work for root."""
    program = shutil.which("chromium")
    if program is None:
        missing("chromium is not installed")
    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def sign_in(context: BrowserContext, gateway: LiveGateway, name: str = "admin") -> Page:
    """A page of a session; signing in goes through the form, as people do."""
    page = context.new_page()
    page.goto(f"{gateway.registry.url}/sign-in")
    page.fill("#user", name)
    page.fill("#secret", gateway.secrets[name])
    page.click("button")
    return page
