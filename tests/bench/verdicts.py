"""Verdict speed: from a layer's last byte to the answered push, and a whole store judged again from facts.

`python -m tests.bench.verdicts` pushes 50 images with a layer that arrives at 25 MB/s, and judges 100,000 images again;
`--pushes` and `--images` make it smaller. Printed are milliseconds and seconds of this machine at this moment.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median

import httpx

from policy.assessment.bulk_judging import rejudge, store
from policy.assessment.inspector import CURRENT
from policy.assessment.manifest_verdicts import image_subject
from policy.definition.policy import known_policies
from policy.results import manifests as inspected_manifests
from policy.results.manifests import InspectedManifest
from policy.results.sqlite_store import SqliteResults
from registry.oci.digest import Digest
from registry.oci.media_types import OCI_MANIFEST
from tests.installation import Installation
from tests.policy.facts_made import conda_fact, image, os_fact, python_fact
from tests.policy.images_made import MadeImage, base, layer, miniconda, noise
from tests.policy.images_made import image as made_image
from tests.policy.lab import TEAM

RATE = 25_000_000
_PIECE = 64 * 1024
_BATCH = 5000


def pushed_image(number: int, members: int) -> MadeImage:
    """An image whose last layer has so many files of 4 kB."""
    files = {f"usr/share/file-{at}": noise(4000, at) for at in range(members)}
    return made_image(layer(base()), layer(files | miniconda() | {"number": str(number)}))


def lag_of(client: httpx.Client, made: MadeImage) -> float:
    """Milliseconds from the last byte of the last layer to the 201 of the manifest."""
    for content in made.blobs[:-1]:
        upload(client, content, iter([content]))
    last_byte = [0.0]
    upload(client, made.layers[-1], arriving(made.layers[-1], last_byte))
    answer = client.put(f"/v2/{TEAM}/manifests/v1", content=made.manifest, headers={"Content-Type": OCI_MANIFEST})
    lag = (time.perf_counter() - last_byte[0]) * 1000
    assert answer.status_code == 201, answer.text
    return lag


def upload(client: httpx.Client, content: bytes, body: Iterator[bytes]) -> None:
    """One blob as docker sends it: POST, PATCH with the bytes, PUT with the digest."""
    location = client.post(f"/v2/{TEAM}/blobs/uploads/").headers["location"]
    location = client.patch(location, content=body).headers["location"]
    answer = client.put(location, params={"digest": Digest.of(content)})
    assert answer.status_code == 201, answer.text


def arriving(content: bytes, last_byte: list[float]) -> Iterator[bytes]:
    """The bytes at RATE; notes when the last one had been sent."""
    started = time.perf_counter()
    for at in range(0, len(content), _PIECE):
        time.sleep(max(0.0, started + at / RATE - time.perf_counter()))
        yield content[at : at + _PIECE]
    last_byte[0] = time.perf_counter()


def lags(folder: Path, pushes: int, members: int) -> list[float]:
    """The lag of every push but the first, which starts the worker; a server of its own process, with sign-in."""
    installation = Installation(folder / "data", {})
    with installation.serve() as host:
        account = installation.create_principal("pusher", "AcrPush")
        credentials = (account.username, account.password)
        with httpx.Client(base_url=f"http://{host}", auth=credentials, timeout=60) as client:
            found = [lag_of(client, pushed_image(number, members)) for number in range(pushes + 1)]
    return found[1:]


def made_subjects(images: int) -> "islice[InspectedManifest]":
    """Images with all kinds of versions, most of them unlike any other."""
    chance = random.Random(20190711)  # noqa: S311 - test data

    def one(number: int) -> InspectedManifest:
        facts = image(
            os_fact("ubuntu", chance.choice(["14.04", "16.04", "18.04", "20.04"])),
            conda_fact(f"4.{chance.randrange(12)}.{chance.randrange(20)}"),
            python_fact(f"3.{chance.randrange(3, 10)}.{chance.randrange(16)}"),
        )
        return image_subject(f"sha256:{number:064x}", facts, CURRENT)

    return islice(map(one, range(images)), images)


def rejudging(folder: Path, images: int) -> float:
    """Seconds to judge and keep so many images under a policy they were never judged by."""
    results = SqliteResults(folder / "policy.db")
    waiting = made_subjects(images)
    while batch := list(islice(waiting, _BATCH)):
        results.write(inspected_manifests.save, batch)
    policy = known_policies()["azureml-2020-11"]
    started = time.perf_counter()
    store(results, policy, rejudge(results, policy))
    seconds = time.perf_counter() - started
    results.close()
    return seconds


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pushes", type=int, default=50)
    options.add_argument("--members", type=int, default=2000)
    options.add_argument("--images", type=int, default=100_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = sorted(lags(Path(folder) / "pushes", chosen.pushes, chosen.members))
        slow = found[min(len(found) - 1, len(found) * 99 // 100)]
        sys.stdout.write(
            f"last byte to 201, {chosen.pushes} pushes: median {median(found):.1f} ms, p99 {slow:.1f} ms\n"
        )
        seconds = rejudging(Path(folder), chosen.images)
        sys.stdout.write(f"{chosen.images} images judged again: {seconds:.2f} s\n")


if __name__ == "__main__":
    main()
