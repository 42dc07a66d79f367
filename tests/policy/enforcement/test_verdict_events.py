"""Events of verdicts: a push, a turn of the policy, exemptions and their end; each change once, over restarts too."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from policy.assessment.reinspect import forget_image
from policy.definition.policy import DEFAULT
from policy.enforcement.exemptions import Exemption
from policy.enforcement.reload import PolicyReload
from policy.enforcement.verdict_events import VERDICT_SET, VerdictEvents
from policy.settings import Settings
from registry.metadata import events
from registry.metadata.events import Recorded
from registry.oci.names import Tag
from tests.policy.images_made import artifact, bad, good, index
from tests.policy.lab import TEAM, Clock, Lab, open_lab

YOUNG = "azureml-2020-09"
REFUSE, TAKE = "ALTER TABLE told_marks RENAME TO away", "ALTER TABLE away RENAME TO told_marks"
_PYTHON, _CONDA = "python-version", "conda-version"


def telling(lab: Lab, *, is_on: bool = True) -> VerdictEvents:
    """What tells of the verdicts of a lab; as a server that was started anew does."""
    return VerdictEvents(lab.gate, lab.metadata, lambda: is_on)


def told(lab: Lab) -> list[Recorded]:
    """All events of verdicts."""
    found = lab.run(lab.metadata.read(events.after, 0, 10_000))
    return [each for each in found if each.event.kind == VERDICT_SET]


def details(lab: Lab) -> list[dict[str, Any]]:
    """What they say, without the digest of the policy."""
    return [{**each.event.details, "policy": each.event.details["policy"]["name"]} for each in told(lab)]


def exempt(lab: Lab, expires: float) -> None:
    """Let everything through that the policy refuses, until then."""
    exemption = Exemption("ab12", "team/*", "", "*", "ann", "lab week", expires)
    lab.gate.change_orders(lambda orders: orders.with_exemption(exemption))


def test_a_push_is_followed_by_its_verdict(lab: Lab) -> None:
    """With the policy, and the rules that speak against the image."""
    lab.pushed(good())
    digest = lab.pushed(bad(), Tag("v2")).digest
    lab.run(telling(lab).round())
    cleared, refused = details(lab)
    assert (cleared["verdict"], cleared["cause"], cleared["policy"]) == ("cleared", "push", DEFAULT)
    assert (refused["verdict"], "findings" in refused, "findings" in cleared) == ("refused", True, False)
    assert (told(lab)[1].event.repository, told(lab)[1].event.digest) == (TEAM, digest)


def test_what_was_told_is_not_told_again(lab: Lab) -> None:
    """Neither in the next round, nor after a new push, nor by the next server."""
    lab.pushed(good())
    first = telling(lab)
    for each in (first, first, telling(lab)):
        lab.run(each.round())
        lab.pushed(good(), Tag("again"))
    lab.run(first.round())
    assert len(told(lab)) == 1


def test_a_turn_of_the_policy_is_told(lab: Lab) -> None:
    """With what the verdict was before."""
    lab.pushed(bad())
    telling_all = telling(lab)
    lab.run(telling_all.round())
    settings = Settings.model_validate({"policy": {"name": YOUNG, "inspection": {"workers": 1, "nice": 0}}})
    turn = lab.run(PolicyReload(lab.gate).prepare(settings.policy))
    assert turn is not None
    turn()
    lab.run(telling_all.round())
    last = details(lab)[-1]
    assert (last["verdict"], last["previous"], last["cause"], last["policy"]) == ("cleared", "refused", "policy", YOUNG)


def test_an_exemption_and_its_end_are_told(tmp_path: Path) -> None:
    """The verdict is the same; what it means is not."""
    clock = Clock()
    with open_lab(tmp_path, clock) as lab:
        lab.pushed(bad())
        telling_all = telling(lab)
        lab.run(telling_all.round())
        exempt(lab, clock.now + 60)
        lab.run(telling_all.round())
        clock.now += 61
        lab.run(telling_all.round())
        said = [(each["verdict"], each.get("exempt", False), each["cause"]) for each in details(lab)]
    assert said == [("refused", False, "push"), ("refused", True, "exemption"), ("refused", False, "exemption")]


def test_an_index_without_its_image_is_told(lab: Lab) -> None:
    """And told again when the image is back."""
    part = lab.pushed(good(), None).digest
    lab.run(lab.push_manifest(index((good().manifest, "linux/amd64")), Tag("top")))
    telling_all = telling(lab)
    lab.run(telling_all.round())
    lab.run(lab.manifests.delete(TEAM, part))
    lab.run(telling_all.round())
    assert (details(lab)[-1]["verdict"], details(lab)[-1]["previous"]) == ("inconclusive", "cleared")
    lab.pushed(good(), None)
    lab.run(telling_all.round())
    assert "cleared" in [each["verdict"] for each in details(lab)[3:]]


def test_artifacts_are_not_told_of(lab: Lab) -> None:
    """No policy has anything to say of them, and nobody wants to hear that."""
    lab.pushed(artifact())
    lab.run(telling(lab).round())
    assert told(lab) == []


def test_what_was_there_before_is_no_news(lab: Lab) -> None:
    """In a data folder of a basegate that told nothing of verdicts, until they change."""
    lab.pushed(good())
    lab.run(lab.metadata.write(before_verdicts_were_told))
    lab.run(telling(lab).round())
    assert told(lab) == []


def before_verdicts_were_told(connection: Any) -> None:
    """As the migration leaves it."""
    connection.exec_driver_sql("INSERT INTO told_marks SELECT id, '', '' FROM manifests")


def test_what_was_pending_is_told_after_a_round_that_failed(tmp_path: Path) -> None:
    """When it is known by then, and the database takes it again."""
    with open_lab(tmp_path) as lab:
        digest = lab.pushed(good()).digest
        lab.run(forget_image(lab.storage, lab.metadata, lab.results, TEAM, digest))
    with open_lab(tmp_path) as lab:
        telling_all = telling(lab)
        lab.run(telling_all.round())
        assert (told(lab), lab.run(lab.gate.conclusion(TEAM, digest)) is None) == ([], False)
        lab.run(lab.metadata.write(lambda connection: connection.exec_driver_sql(REFUSE)))
        with pytest.raises((sqlite3.Error, DBAPIError, psycopg.Error), match="told_marks"):
            lab.run(telling_all.round())
        lab.run(lab.metadata.write(lambda connection: connection.exec_driver_sql(TAKE)))
        lab.run(telling_all.round())
        assert [each.event.digest for each in told(lab)] == [digest]


def test_many_changes_are_each_told_once_over_restarts(lab: Lab) -> None:
    """Rounds that are cut off anywhere: the events are those of one round that was not."""
    for number in range(30):
        lab.run(lab.push(good(python=f"3.6.{number}"), Tag(f"v{number}")))
    lab.results.settle()

    async def cut_off(number: int) -> None:
        task = asyncio.create_task(telling(lab).round())
        await asyncio.wait([task], timeout=number / 500)
        task.cancel()
        await asyncio.wait([task])

    for number in range(20):
        lab.run(cut_off(number))
    lab.run(telling(lab).round())
    assert len({each.event.digest for each in told(lab)}) == len(told(lab)) == 30
