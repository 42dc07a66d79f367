"""The audit log: who did what, with which result, and never a secret."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from registry.auth.actions import Role
from registry.auth.principals import Principal
from registry.auth.sign_in import SecretWrong
from registry.config.access import AuditSettings
from registry.config.settings import LogSettings
from registry.oci.errors import Denied
from registry.oci.names import RepositoryName
from registry.telemetry import logs
from registry.telemetry.audit import (
    AuditLog,
    append_lines,
    audit_log,
    command_line_of,
    line_of,
    line_text,
)
from registry.telemetry.audit_file import AuditFile
from registry.telemetry.operator_name import operator_name
from registry.telemetry.request_record import RequestRecord
from tests.registry.api.guarded import guarded_registry
from tests.registry.auth.people import person

DIGEST = "sha256:" + "0" * 64


def pushed(**more: Any) -> RequestRecord:
    """A manifest push that went well."""
    request_record = RequestRecord("request-1", "192.0.2.1", "PUT", "/v2/team/app/manifests/v1", "manifests.push")
    request_record.repository, request_record.reference, request_record.digest = (
        RepositoryName("team/app"),
        "v1",
        DIGEST,
    )
    request_record.principal, request_record.status = Principal("an-id", "ci", Role.ACR_PUSH), 201
    for name, value in more.items():
        setattr(request_record, name, value)
    return request_record


RECORDS = {
    "a push": pushed(),
    "a refusal": pushed(error=Denied('not "allowed"'), status=403),
    "nobody": pushed(principal=None),
    "no route": pushed(operation=""),
    "a failure": pushed(status=500),
    "broken off": pushed(status=499),
    "nothing named": pushed(repository=None, reference="", digest=""),
    "awkward": pushed(reference='"\n\u2028' * 400, decision="denied: é", client="::1", request_id="\\"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_the_text_of_a_line_is_its_json(name: str) -> None:
    """Usual ones are formatted by hand: the same members in the same order."""
    expected = json.dumps(line_of(RECORDS[name], 1_700_000_000.25), separators=(",", ":"))
    assert line_text(RECORDS[name], 1_700_000_000.25) == expected


def lines(path: Path) -> list[dict[str, Any]]:
    """All lines of the log, read."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def opened(path: Path, **settings: Any) -> AuditLog:
    """A log with these settings."""
    made = AuditSettings(**settings)
    return AuditLog(path, lambda: made)


def test_a_line_says_who_what_and_how_it_ended() -> None:
    """Every member that a question after an incident needs."""
    assert line_of(pushed(), 0.5) == {
        "time": "1970-01-01T00:00:00.500Z", "request": "request-1", "principal": "an-id", "name": "ci",
        "address": "192.0.2.1", "action": "manifests.push", "method": "PUT", "repository": "team/app",
        "reference": "v1", "digest": DIGEST, "decision": "", "status": 201, "result": "done", "reason": "",
    }  # fmt: skip


def test_a_wrong_secret_names_what_was_tried() -> None:
    """Nobody has signed in, but the name that was guessed is of interest."""
    line = line_of(pushed(principal=None, status=401, error=SecretWrong("admin")), 0)
    assert (line["principal"], line["name"], line["result"]) == ("", "admin", "refused")
    assert "secret is wrong" in line["reason"]


@pytest.mark.parametrize(
    ("status", "result"), [(202, "done"), (403, "refused"), (429, "refused"), (404, "failed"), (499, "broken off")]
)
def test_results_have_four_words(status: int, result: str) -> None:
    """A reader of the log searches for one word."""
    assert line_of(pushed(status=status), 0)["result"] == result


def test_long_and_broken_texts_stay_one_line(tmp_path: Path) -> None:
    """A reference with line ends or of megabytes cannot forge or flood the log."""
    log = opened(tmp_path / "audit.log")
    long = 'v1\n{"forged": true}' + "x" * 1_000_000
    log.observe(pushed(reference=long, error=Denied(long), operation="", path=long))
    assert len(lines(tmp_path / "audit.log")) == 1
    assert (tmp_path / "audit.log").stat().st_size < 3000


def test_rotation_keeps_the_newest_files_and_loses_no_line(tmp_path: Path) -> None:
    """A full file moves to `.1`, the older ones further, the oldest goes."""
    log = opened(tmp_path / "audit.log", rotate_bytes=4096, keep_files=2)
    for number in range(40):
        log.observe(pushed(reference=f"v{number}"))
    log.close()
    files = [tmp_path / name for name in ("audit.log.2", "audit.log.1", "audit.log")]
    numbers = [int(line["reference"][1:]) for path in files for line in lines(path)]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["audit.log", "audit.log.1", "audit.log.2", "audit.log.head"]
    assert numbers == list(range(numbers[0], 40))


def test_reopening_appends(tmp_path: Path) -> None:
    """A restart keeps what was written; the file is its owner's alone."""
    for _ in range(2):
        log = opened(tmp_path / "audit.log")
        log.observe(pushed())
        log.close()
    assert len(lines(tmp_path / "audit.log")) == 2
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600


def health(request_record: RequestRecord) -> None:
    """A health check."""
    request_record.method, request_record.operation, request_record.status = "GET", "health.alive", 200


def read(request_record: RequestRecord) -> None:
    """A pull that went well."""
    request_record.method, request_record.operation, request_record.status = "GET", "manifests.pull", 200


def refused_read(request_record: RequestRecord) -> None:
    """A pull that was refused."""
    request_record.method, request_record.operation, request_record.status = "GET", "manifests.pull", 403


@pytest.mark.parametrize(
    ("change", "reads", "told"),
    [(health, True, 0), (read, True, 1), (read, False, 0), (refused_read, False, 1)],
)
def test_what_is_recorded(tmp_path: Path, change: Callable[[RequestRecord], None], *, reads: bool, told: int) -> None:
    """Health checks never; successful reads by a setting; refusals always."""
    log = opened(tmp_path / "audit.log", reads=reads)
    request_record = pushed()
    change(request_record)
    log.observe(request_record)
    assert len(lines(tmp_path / "audit.log")) == told


def test_place_is_inside_the_data_folder_or_absolute(tmp_path: Path) -> None:
    """The setting decides."""
    audit_log(tmp_path / "data", AuditSettings).close()
    elsewhere = AuditSettings(file=str(tmp_path / "elsewhere" / "log"))
    audit_log(tmp_path / "data", lambda: elsewhere).close()
    assert (tmp_path / "data" / "audit" / "audit.log").exists()
    assert (tmp_path / "elsewhere" / "log").exists()


def test_a_live_registry_records_and_never_a_secret(tmp_path: Path) -> None:
    """A refused push, a token, a wrong secret and a delete, as they happened."""
    reader, owner = person(Role.ACR_PULL), person(Role.OWNER)
    with guarded_registry(tmp_path) as live, live.client() as client:
        client.put("/v2/team/app/manifests/v1", content=b"{}", auth=("acrpull", reader.secret()))
        token = client.get("/oauth2/token", auth=("owner", owner.secret())).json()["token"]
        client.get("/oauth2/token", auth=("owner", "a-wrong-secret"))
        client.delete(f"/v2/team/app/blobs/{DIGEST}", headers={"Authorization": f"Bearer {token}"})
    path = tmp_path / "audit" / "audit.log"
    told = [(line["name"], line["action"], line["status"]) for line in lines(path)]
    assert told == [
        ("acrpull", "manifests.push", 403), ("owner", "tokens.grant", 200),
        ("owner", "tokens.grant", 401), ("owner", "blobs.delete", 401),
    ]  # fmt: skip
    assert not [s for s in (reader.secret(), owner.secret(), token, "a-wrong-secret") if s in path.read_text()]


def by_command(path: Path, action: str, more: str = "") -> None:
    """What another process appends."""
    assert append_lines(AuditFile(path), [command_line_of(action, 0, "", {"detail": f"name=ci{more}"})])


def noticed(log: AuditLog) -> list[tuple[str, str]]:
    """The acts by command that a server logs when it looks."""
    logs.configure(LogSettings())
    with capture_logs() as said:
        log.notice()
    return [(item["action"], item["by"]) for item in said if item["event"] == "done by command"]


def test_acts_by_command_are_noticed_once(tmp_path: Path) -> None:
    """Before, between and behind the server's own lines; what was there at the start is no news."""
    path = tmp_path / "audit.log"
    by_command(path, "before")
    log = opened(path)
    for action in ("first", "second"):
        by_command(path, action)
        log.observe(pushed())
    by_command(path, "third")
    assert noticed(log) == [(action, operator_name()) for action in ("first", "second", "third")]
    assert noticed(log) == []


def test_acts_before_a_rotation_are_noticed(tmp_path: Path) -> None:
    """The file that they are in has been moved by then."""
    log = opened(tmp_path / "audit.log", rotate_bytes=4096)
    by_command(tmp_path / "audit.log", "act")
    for _ in range(30):
        log.observe(pushed())
    assert (tmp_path / "audit.log.1").exists()
    assert [action for action, _ in noticed(log)] == ["act"]


def test_lines_of_nobody_are_passed_over(tmp_path: Path) -> None:
    """What is no JSON, or no act."""
    log = opened(tmp_path / "audit.log")
    with (tmp_path / "audit.log").open("a") as file:
        file.write('broken\n[]\n{"method": "GET"}\n{"method": "COMM')
    assert noticed(log) == []
    with (tmp_path / "audit.log").open("a") as file:
        file.write('AND", "action": "late", "name": "ann"}\n')
    assert noticed(log) == [("late", "ann")]


def test_a_log_that_was_cut_is_gone_on_with(tmp_path: Path) -> None:
    """Somebody has emptied the file under the server."""
    log = opened(tmp_path / "audit.log")
    log.observe(pushed())
    os.truncate(tmp_path / "audit.log", 0)
    assert noticed(log) == []
    by_command(tmp_path / "audit.log", "act")
    assert [action for action, _ in noticed(log)] == ["act"]
