"""Results of many manifests, and questions that show whether a wrong word is read."""

from policy.inspection.worker.job import Inspected
from policy.results import layers as inspected_layers
from policy.results import manifests as inspected_manifests
from policy.results import verdicts
from policy.results.manifests import InspectedManifest, Kind
from policy.results.store import ResultStore
from policy.state import State

NAMES = [f"sha256:{number:064}" for number in range(200)]


def subject(name: str) -> InspectedManifest:
    """A manifest as policies see it."""
    return InspectedManifest(name, Kind.IMAGE, "a@1", f"essence of {name}", final=True, body=name.encode() * 10)


def fill(results: ResultStore) -> None:
    """Enough rows for some pages of each kind."""
    results.write(inspected_manifests.save, [subject(name) for name in NAMES])
    results.write(verdicts.save, "policy", [(name, State.REFUSED) for name in NAMES])
    for name in NAMES:
        results.later(inspected_layers.save, name, "a@1", Inspected(name.encode() * 10, "", 1))


def ask(results: ResultStore) -> None:
    """Every question gets what was written or nothing; what is found out is kept once all damage was met."""
    for _ in range(3):
        look(results)
        results.write(inspected_manifests.save, [subject(name) for name in NAMES])
        results.write(verdicts.save, "policy", [(name, State.REFUSED) for name in NAMES])
        known = results.read(inspected_manifests.essences, "a@1").keys()
        judged = results.read(verdicts.all_states, "policy")
    assert known == set(NAMES)
    assert judged == dict.fromkeys(NAMES, State.REFUSED)


def look(results: ResultStore) -> None:
    """Nothing but what was written is read."""
    for name in NAMES:
        assert results.read(inspected_manifests.find, name, "a@1") in {None, subject(name)}
        assert results.read(verdicts.find, "policy", name) in {None, State.REFUSED}
        found = results.read(inspected_layers.find, name, "a@1")
        assert found is None or found.body == name.encode() * 10
