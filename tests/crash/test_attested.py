"""A server killed at any call of pushes: every image that is there has its signed verdict, and it verifies."""

import json
import sqlite3
from contextlib import closing, suppress

import pytest

from policy.attestation.types import BUNDLE_TYPE
from policy.attestation.verification import Expected, verified
from policy.signing.dsse import read_envelope
from policy.signing.key_ring import VERDICT_KEY_FILE, KeyRing
from registry.auth.signing_key import kid_of
from registry.errors import BasegateError
from registry.metadata.open_store import FILE_NAME
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName
from tests.crash.caller import Caller
from tests.crash.control import Act, Fault
from tests.crash.laboratory import Laboratory
from tests.crash.site import Site
from tests.crash.wire import CutOff
from tests.policy.images_made import MadeImage, base, image, layer, miniconda

REPOSITORY = RepositoryName("crash/judged")
ACTS = (Act.KILL_BEFORE, Act.KILL_AFTER)
CALLS = range(1, 64, 4)
"""The calls on the database: for the manifest, its verdict's signature, and what signs in the background."""


def made(number: int) -> MadeImage:
    """A cleared image of its own."""
    marker = {"etc/marker": f"{number}"}
    return image(layer(base() | marker), layer(miniconda()))


def push(site: Site, pushed: MadeImage, fault: Fault) -> None:
    """Push it, with a fault from the manifest on, and ask for its verdict."""
    caller = site.caller(REPOSITORY)
    for content in pushed.blobs:
        caller.blob(content)
    site.control.arm(fault)
    caller.manifest(pushed.manifest)
    caller.wire.ask("GET", f"/v2/{REPOSITORY}/referrers/{pushed.digest}")


def wrong(site: Site, caller: Caller, digest: Digest) -> str:
    """What is wrong with the verdict on an image that is there; "" when nothing is."""
    if caller.wire.ask("GET", f"/v2/{REPOSITORY}/manifests/{digest}").status == 404:
        return ""
    entries = json.loads(caller.wire.ask("GET", f"/v2/{REPOSITORY}/referrers/{digest}").body)["manifests"]
    bundles = [entry["digest"] for entry in entries if entry.get("artifactType") == BUNDLE_TYPE]
    if len(bundles) != 1:
        return f"{len(bundles)} bundles"
    manifest = json.loads(caller.wire.ask("GET", f"/v2/{REPOSITORY}/manifests/{bundles[0]}").body)
    raw = caller.wire.ask("GET", f"/v2/{REPOSITORY}/blobs/{manifest['layers'][0]['digest']}").body
    public = {kid_of(key): key for key in KeyRing(site.data, VERDICT_KEY_FILE).public()}
    try:
        verified(read_envelope(raw), Expected(public, digest, f"oci:{REPOSITORY}@{digest}"))
    except BasegateError as error:
        return str(error)
    return ""


def unrecorded(site: Site) -> list[str]:
    """Images in the rows that were left without a statement; no server runs."""
    with closing(sqlite3.connect(site.data / FILE_NAME)) as rows:
        found = rows.execute(
            "SELECT m.digest FROM manifests m JOIN repositories r ON r.id = m.repository_id "
            "LEFT JOIN attestations a ON a.manifest_id = m.id WHERE a.id IS NULL AND r.name = ?",
            [REPOSITORY],
        )
        return [str(digest) for (digest,) in found]


def rounds(site: Site, act: Act) -> tuple[list[str], int]:
    """What is wrong after a kill at each call, and how many of the images were there."""
    found, there = [], 0
    site.start()
    for at in CALLS:
        pushed = made(at)
        with suppress(CutOff):
            push(site, pushed, Fault(act, at, part="registry.db"))
        site.kill()
        found += unrecorded(site)
        site.start()
        caller = site.caller(REPOSITORY)
        problem = wrong(site, caller, pushed.digest)
        found += [f"{act.name} at {at}: {problem}"] if problem else []
        there += caller.wire.ask("GET", f"/v2/{REPOSITORY}/manifests/{pushed.digest}").status == 200
    return found, there


@pytest.mark.xdist_group("crash")
@pytest.mark.parametrize("act", ACTS, ids=[act.name.lower() for act in ACTS])
def test_no_image_is_without_its_verdict(laboratory: Laboratory, act: Act) -> None:
    """0 images, whichever call was the last; some images came through and some did not."""
    with laboratory.site() as site:
        found, there = rounds(site, act)
    assert found == []
    assert 0 < there < len(CALLS)
