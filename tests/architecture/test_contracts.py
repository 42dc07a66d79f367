"""The import contracts: an arrow that points the wrong way is found, whichever room it starts in."""

from copy import deepcopy
from functools import cache
from typing import Any

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import Contract

from tests.architecture.source import ROOT

KINDS: dict[str, type[Contract]] = {
    "acyclic_siblings": AcyclicSiblingsContract,
    "forbidden": ForbiddenContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}
WRONG = (
    ("registry.errors", "policy.state"),
    ("registry.oci.digest", "registry.errors_of_oci"),
    ("registry.oci.manifest", "registry.config.settings"),
    ("registry.database.writer", "registry.config.group"),
    ("registry.metadata.tags", "registry.caches"),
    ("registry.caches", "registry.storage.blob_store"),
    ("registry.storage.disk.store", "registry.auth.access"),
    ("registry.auth.tokens", "registry.telemetry.audit"),
    ("registry.telemetry.metrics", "registry.gate"),
    ("registry.gate", "registry.content.gc"),
    ("registry.content.blobs", "registry.api.ranges"),
    ("registry.maintenance.scrub", "registry.app"),
    ("registry.api.blobs", "registry.http.sendfile"),
    ("registry.http.connection", "registry.oci.errors"),
    ("registry.app", "registry.server.run"),
    ("registry.server.startup", "registry.cli.gc"),
    ("registry.content.quotas", "registry.content.uploads"),
    ("policy.inspection.facts", "policy.state"),
    ("policy.inspection.layer.tree", "policy.inspection.image.view"),
    ("policy.inspection.archive.tar", "registry.metadata.store"),
    ("policy.rules.os_version", "policy.advice.image"),
    ("policy.results.store", "policy.assessment.judge"),
    ("policy.assessment.verdict", "policy.enforcement.gate"),
    ("policy.gateway.routes", "policy.app"),
    ("policy.client.api", "policy.enforcement.gate"),
)
"""Importer and imported. Files that are not there are new ones, which nobody has placed or which make a circle."""


@cache
def configuration() -> dict[str, Any]:
    """What pyproject.toml says."""
    return dict(read_configuration(str(ROOT / "pyproject.toml")))


@cache
def graph() -> grimp.ImportGraph:
    """All imports there are."""
    return grimp.build_graph("registry", "policy", cache_dir=None)


def broken(imports: grimp.ImportGraph) -> list[str]:
    """Names of the contracts that imports break."""
    found = []
    for options in configuration()["contracts_options"]:
        contract = KINDS[options["type"]](options["name"], configuration()["session_options"], options)
        try:
            kept = contract.check(deepcopy(imports), verbose=False).kept
        except ValueError:  # a layer that is not exhaustive
            kept = False
        if not kept:
            found.append(options["name"])
    return found


def test_the_tree_keeps_its_contracts() -> None:
    """Nothing is broken as it stands, so that what breaks below is the arrow."""
    assert broken(graph()) == []


@pytest.mark.parametrize(("importer", "imported"), WRONG)
def test_a_wrong_arrow_is_found(importer: str, imported: str) -> None:
    """One import too many breaks a contract."""
    changed = deepcopy(graph())
    changed.add_module(importer)
    changed.add_module(imported)
    changed.add_import(importer=importer, imported=imported)
    assert broken(changed)
