"""`basegate verify-evidence`: what the facts name is there, byte for byte."""

import json

import pytest
from click.testing import CliRunner, Result

from policy.cli.main import basegate
from registry.oci.digest import Digest
from tests.policy.images_made import (
    bad,
    base,
    good,
    image,
    index,
    layer,
    miniconda,
)
from tests.policy.lab import Lab


@pytest.fixture
def lab(lab: Lab) -> Lab:
    """With a bad image in it."""
    lab.pushed(bad())
    return lab


def command(lab: Lab, *words: str) -> Result:
    """Run the command on the registry's data folder."""
    return CliRunner().invoke(basegate, ["verify-evidence", *words, "--data", str(lab.data)])


def test_all_evidence_is_confirmed(lab: Lab) -> None:
    """Every record the verdict rests on is found again at its offset."""
    found = command(lab, "team/app:v1")
    assert found.exit_code == 0
    assert "confirmed: opt/miniconda/conda-meta/python-3.7.0-h0_0.json in layer 1 at byte " in found.output
    assert "WRONG" not in found.output


def test_evidence_of_what_only_looks_like_a_conda_is_confirmed(lab: Lab) -> None:
    """The first bytes of micromamba, the version in pip's record, Debian's list."""
    pip = "usr/lib/python3/dist-packages/conda-4.8.3.dist-info/METADATA"
    files = {pip: "Name: conda\nVersion: 4.8.3\n", "var/lib/dpkg/info/conda.list": "/.\n"}
    lab.pushed(image(layer(base()), layer({**files, "usr/bin/micromamba": b"\x7fELF" * 5000})))
    found = json.loads(command(lab, "team/app:v1", "--json").stdout)
    confirmed = {item["evidence"]["path"]: item["evidence"] for item in found if item["confirmed"]}
    assert {pip, "usr/bin/micromamba", "var/lib/dpkg/info/conda.list"} <= set(confirmed)
    assert (confirmed[pip]["value"], confirmed["usr/bin/micromamba"]["size"]) == ("4.8.3", 4096)


def test_every_image_of_an_index_is_looked_at(lab: Lab) -> None:
    """The evidence of all children."""
    lab.pushed(good(), None)
    lab.run(lab.push_manifest(index((good().manifest, "linux/amd64"), (bad().manifest, "linux/arm64"))))
    found = json.loads(command(lab, "team/app:v1", "--json").stdout)
    values = {item["evidence"]["value"] for item in found if item["confirmed"]}
    assert {"3.7.0", "3.6.8"} <= values


def test_changed_bytes_are_noticed(lab: Lab) -> None:
    """Evidence does not hold against another layer in the place of the one it names."""
    digest = Digest.of(bad().layers[1])
    path = lab.data / "blobs" / "sha256" / digest.encoded[:2] / digest.encoded
    path.chmod(0o644)
    path.write_bytes(layer(miniconda(python="3.6.8")))
    found = command(lab, "team/app:v1")
    assert found.exit_code == 1
    assert "WRONG: opt/miniconda/conda-meta/python-3.7.0-h0_0.json in layer 1" in found.output


def test_an_unknown_image_is_one_line(lab: Lab) -> None:
    """There is nothing to verify: that is no wrong evidence."""
    found = command(lab, "team/app:v9")
    assert (found.exit_code, found.output) == (
        2,
        "basegate: team/app:v9 is not in this registry: needs repository:tag or repository@digest\n",
    )
