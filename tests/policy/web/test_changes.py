"""Forms: tags and images deleted, exemptions made and ended, by who may and from the page itself."""

import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from policy.testing.credentials import enrolment
from policy.web.figures import size
from registry.api.routes import Row
from registry.auth.actions import Role
from registry.oci.media_types import OCI_MANIFEST
from tests.clients.trees import cleared_image, refused_image
from tests.policy.every_row import every_row
from tests.policy.gateway.test_audit import line_of
from tests.policy.live import LiveGateway, live_gateway
from tests.policy.web.conftest import OWN, SignedIn
from tests.registry.auth.people import enrol
from tests.repository import Repository

FORMS = [row for row in every_row() if row.operation.startswith("web.") and row.methods == "POST"]
CHANGES = [row for row in FORMS if row.operation not in {"web.sign_in", "web.sign_out"}]
NEXT_YEAR = (datetime.now(UTC) + timedelta(days=365)).date().isoformat()
EXEMPTION = {
    "repositories": "team/app",
    "rule": "python-version",
    "digest": "",
    "owner": "lee",
    "reason": "the old model",
    "until": NEXT_YEAR,
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveGateway]:
    """A server whose content a test may change."""
    with live_gateway(tmp_path / "data") as gateway:
        gateway.push(tmp_path / "good", "team/app:good", cleared_image())
        gateway.push(tmp_path / "bad", "team/app:bad", refused_image())
        yield gateway


def send(
    client: httpx.Client, path: str, fields: Mapping[str, str], headers: Mapping[str, str] = OWN
) -> httpx.Response:
    """Send a form as the page does."""
    token = client.get("/").text.partition('name="form" value="')[2].partition('"')[0]
    return client.post(path, data={"form": token, **fields}, headers=headers)


def test_a_tag_is_deleted_when_its_name_was_typed(signed_in: SignedIn) -> None:
    """The image stays."""
    client = signed_in("admin")
    digest = client.get("/r/team/app:good.json").json()["digest"]
    assert "Delete team/app:good?" in client.get("/delete/team/app:good").text
    answer = send(client, "/delete/team/app:good", {"name": "good"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/r/team/app")
    assert client.get("/r/team/app:good").status_code == 404
    assert client.get(f"/r/team/app@{digest}").status_code == 200


def test_an_image_is_deleted_with_its_tags(signed_in: SignedIn) -> None:
    """By its digest; the page says which tags go."""
    client = signed_in("admin")
    digest = client.get("/r/team/app:good.json").json()["digest"]
    assert client.get(f"/delete/team/app@{digest}.json").json()["tags"] == ["good"]
    assert send(client, f"/delete/team/app@{digest}", {"name": digest}).status_code == 303
    assert client.get("/r/team/app:good").status_code == 404


def test_a_deletion_says_what_else_goes(live: LiveGateway, signed_in: SignedIn) -> None:
    """Bytes, tags, and what refers to the image."""
    client = signed_in("admin")
    shown = client.get("/r/team/app:good.json").json()
    with live.client("admin") as program:
        subject = {"mediaType": OCI_MANIFEST, "digest": shown["digest"], "size": 1}
        Repository(program, "team/app").image(subject=subject)
    page = client.get(f"/delete/team/app@{shown['digest']}").text
    assert (
        f"The image goes ({size(shown['size'])}, as far as no other shares its layers), and with it its tag good."
        in page
    )
    # Its signed verdict is another, as soon as it is made.
    assert re.search(r"(1 manifest refers|2 manifests refer) to it, and (is|are) left without a subject\.", page)


def test_a_tag_that_moved_has_a_history(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """With what it pointed at before, but for who may not have that."""
    before = signed_in("admin").get("/r/team/app:bad.json").json()["digest"]
    after = live.push(tmp_path / "moved", "team/app:bad", cleared_image("moved"))
    told = {
        name: [each["digest"] for each in signed_in(name).get("/r/team/app:bad.json").json()["history"]]
        for name in ("admin", "reader")
    }
    assert told == {"admin": [after, before], "reader": [after]}
    assert "History of the tag" in signed_in("admin").get("/r/team/app:bad").text


def test_a_repository_has_the_history_of_its_tags(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """The latest first, deletions too, without what is withheld from the reader or locked against lists."""
    live.push(tmp_path / "moved", "team/app:bad", cleared_image("moved"))
    with live.client("admin") as program:
        program.delete("/acr/v1/team/app/_tags/good").raise_for_status()
    told = {
        name: [(each["tag"], each["deleted"]) for each in signed_in(name).get("/r/team/app.json").json()["history"]]
        for name in ("admin", "reader")
    }
    entries = [("good", True), ("bad", False), ("bad", False), ("good", False)]
    assert told == {"admin": entries, "reader": [*entries[:2], entries[3]]}
    with live.client("admin") as program:
        program.patch("/acr/v1/team/app/_tags/bad", json={"listEnabled": False}).raise_for_status()
    assert {each["tag"] for each in signed_in("admin").get("/r/team/app.json").json()["history"]} == {"good"}


def test_a_tag_is_rolled_back(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """To what it pointed at before; the page of the tag leads there, and asks once more."""
    client = signed_in("admin")
    before = client.get("/r/team/app:good.json").json()["digest"]
    live.push(tmp_path / "moved", "team/app:good", cleared_image("moved"))
    link = f"/rollback/team/app:good?to={before}"
    assert f'href="{link}"' in client.get("/r/team/app:good").text.replace("%3A", ":")
    asked = client.get(link)
    assert (asked.status_code, "Roll team/app:good back?" in asked.text) == (200, True)
    answer = send(client, "/rollback/team/app:good", {"to": before})
    assert (answer.status_code, answer.headers["location"]) == (303, "/r/team/app:good")
    assert client.get("/r/team/app:good.json").json()["digest"] == before
    assert line_of(live, answer)["decision"] == f"rollback to {before}"


def test_a_tag_is_rolled_back_to_its_past_only(signed_in: SignedIn) -> None:
    """Neither to what it never pointed at nor to what is not there; a digest has no past."""
    client = signed_in("admin")
    bad = client.get("/r/team/app:bad.json").json()["digest"]
    assert send(client, "/rollback/team/app:good", {"to": bad}).status_code == 404
    assert client.get("/rollback/team/app:good", params={"to": "sha256:0"}).status_code == 400
    assert client.get("/rollback/team/app:good", params={"to": f"sha256:{'0' * 64}"}).status_code == 404
    assert client.get(f"/rollback/team/app@{bad}", params={"to": bad}).status_code == 400


def test_secrets_are_renewed_and_shown_once(live: LiveGateway, signed_in: SignedIn) -> None:
    """The old one ends; the new one signs in; the audit log has neither."""
    client = signed_in("admin")
    assert "/rotate/reader" in client.get("/principals").text
    assert "Renew the secrets of reader?" in client.get("/rotate/reader").text
    answer = send(client, "/rotate/reader", {"secret": "password1"})
    (secret,) = re.findall(r'<pre class="cmd">(.*?)</pre>', answer.text)
    with live.registry.client() as other:
        signing = [{"username": "reader", "password": each} for each in (live.secrets["reader"], html.unescape(secret))]
        assert [other.post("/sign-in", data=each, headers=OWN).status_code for each in signing] == [401, 303]
    assert secret not in client.get("/principals").text
    assert line_of(live, answer)["decision"] == "name=reader secrets=password1"


@pytest.mark.parametrize(("name", "secret", "status"), [("nobody", "both", 404), ("reader", "", 400)])
def test_secrets_of_nobody_are_not_renewed(signed_in: SignedIn, name: str, secret: str, status: int) -> None:
    """Nor a secret that no principal has."""
    assert send(signed_in("admin"), f"/rotate/{name}", {"secret": secret}).status_code == status


def test_nothing_is_deleted_under_another_name(signed_in: SignedIn) -> None:
    """Nor by looking at the question."""
    client = signed_in("admin")
    client.get("/delete/team/app:good")
    answer = send(client, "/delete/team/app:good", {"name": "bad"})
    assert (answer.status_code, "nothing was deleted" in answer.text) == (400, True)
    assert client.get("/r/team/app:good").status_code == 200


def test_an_exemption_counts_at_once_and_ends_at_once(signed_in: SignedIn) -> None:
    """At every other door too: here, a pull by who may only pull."""
    client, reader = signed_in("admin"), signed_in("reader")
    assert reader.get("/r/team/app:bad.json").json()["withheld"]
    made = send(client, "/exemptions", EXEMPTION)
    assert made.status_code == 303
    shown = reader.get("/r/team/app:bad.json").json()
    assert (shown["withheld"], shown["verdict"], shown["exemptions"][0]["owner"]) == ("", "refused", "lee")
    identifier = made.headers["location"].partition("#")[2]
    assert send(client, "/exemptions/end", {"exemption": identifier}).status_code == 303
    assert reader.get("/r/team/app:bad.json").json()["withheld"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": "2001-01-01"},
        {"until": "soon"},
        {"rule": "no-such"},
        {"reason": ""},
        {"digest": "sha256:0"},
        {"repositories": "a b"},
    ],
    ids=str,
)
def test_an_exemption_that_makes_no_sense_is_refused(signed_in: SignedIn, wrong: dict[str, str]) -> None:
    """With what is wrong, and none is made."""
    client = signed_in("admin")
    assert send(client, "/exemptions", EXEMPTION | wrong).status_code == 400
    assert client.get("/exemptions.json").json()["exemptions"] == []


@pytest.mark.parametrize("row", CHANGES, ids=[row.path for row in CHANGES])
@pytest.mark.parametrize("name", ["reader", "outsider"])
def test_who_may_not_changes_nothing(signed_in: SignedIn, row: Row, name: str) -> None:
    """Whatever the form says."""
    path = row.path.replace("{rest:path}", "team/app:good")
    answer = send(signed_in(name), path, {"name": "good", "exemption": "0", **EXEMPTION})
    assert answer.status_code == 403
    assert signed_in("admin").get("/r/team/app:good").status_code == 200


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_no_role_but_an_owner_s_exempts(live: LiveGateway, role: Role) -> None:
    """Each is tried: neither makes an exemption nor ends one, nor sees them."""
    made, login = enrolment("somebody", role)
    enrol(live.registry.data, made)
    with live.registry.client() as client:
        signing = {"username": login.username, "password": login.password}
        assert client.post("/sign-in", data=signing, headers=OWN).status_code == 303
        answers = [
            send(client, "/exemptions", EXEMPTION),
            send(client, "/exemptions/end", {"exemption": "0"}),
            client.get("/exemptions"),
        ]
    assert [each.status_code for each in answers] == [403, 403, 403]


def test_an_owner_of_some_repositories_exempts_nothing(live: LiveGateway) -> None:
    """Exemptions are for who owns all of them."""
    made, login = enrolment("somebody", Role.OWNER, "team/*")
    enrol(live.registry.data, made)
    with live.registry.client() as client:
        client.post("/sign-in", data={"username": login.username, "password": login.password}, headers=OWN)
        assert send(client, "/exemptions", EXEMPTION).status_code == 403


@pytest.mark.parametrize("row", CHANGES, ids=[row.path for row in CHANGES])
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {}], ids=str)
def test_other_sites_change_nothing(signed_in: SignedIn, row: Row, headers: dict[str, str]) -> None:
    """Even with the code of the session's form."""
    client, path = signed_in("admin"), row.path.replace("{rest:path}", "team/app:good")
    fields = {"name": "good", "exemption": "0", **EXEMPTION}
    assert send(client, path, fields, headers).status_code == 403
    assert client.post(path, data=fields, headers=OWN).status_code == 403
    assert client.get("/r/team/app:good").status_code == 200


@pytest.mark.parametrize("row", CHANGES, ids=[row.path for row in CHANGES])
def test_credentials_that_a_browser_adds_by_itself_are_not_enough(live: LiveGateway, row: Row) -> None:
    """A secret in the header, without a session."""
    with live.client("admin") as client:
        path = row.path.replace("{rest:path}", "team/app:good")
        answer = send(client, path, {"name": "good", "exemption": "0", **EXEMPTION})
        assert (answer.status_code, "in a session" in answer.text) == (403, True)
        assert client.get("/r/team/app:good").status_code == 200


def test_a_change_is_on_record(live: LiveGateway, signed_in: SignedIn) -> None:
    """With who made it, where, and what."""
    line = line_of(live, send(signed_in("admin"), "/delete/team/app:good", {"name": "good"}))
    assert (line["action"], line["name"], line["repository"]) == ("web.delete", "admin", "team/app")
    assert (line["reference"], line["status"], line["decision"]) == ("good", 303, "deleted good")


def test_a_wrong_secret_is_on_record(live: LiveGateway) -> None:
    """With the name that was tried."""
    with live.registry.client() as client:
        line = line_of(live, client.post("/sign-in", data={"username": "reader", "password": "x"}, headers=OWN))
    assert (line["action"], line["name"], line["status"]) == ("web.sign_in", "reader", 401)


def test_there_are_forms() -> None:
    """The rows above are found."""
    assert len(CHANGES) == 5
