"""Policies, exemptions, principals, garbage, activity, layers, comparisons: what they show, and to whom."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from policy.web.figures import size
from registry.config.retention import RetentionSettings
from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway
from tests.policy.web.conftest import SignedIn

FOR_OWNERS = ("/exemptions", "/principals", "/gc", "/gc?plan=yes", "/policies?replay=azureml-2020-11")
FOR_ALL = ("/activity", "/policies", "/compare/team/app", "/compare/team/app?from=good&to=bad")


@pytest.mark.parametrize("path", [*FOR_OWNERS, *FOR_ALL])
def test_owners_see_every_page(signed_in: SignedIn, path: str) -> None:
    """As HTML and as JSON."""
    before, mark, query = path.partition("?")
    client = signed_in("admin")
    assert client.get(path).status_code == 200
    assert client.get(f"{before}.json{mark}{query}").json()


@pytest.mark.parametrize("path", FOR_OWNERS)
def test_what_speaks_of_the_whole_registry_is_for_owners(signed_in: SignedIn, path: str) -> None:
    """Others are told what they lack, and no link leads there."""
    client = signed_in("reader")
    answer = client.get(path)
    assert (answer.status_code, "needs role Owner" in answer.text) == (403, True)
    assert 'href="/principals"' not in client.get("/").text


def test_policies_without_counts_for_others(signed_in: SignedIn) -> None:
    """What is asked for is no secret; how many images there are is one."""
    owners, readers = (signed_in(name).get("/policies.json").json()["policies"] for name in ("admin", "reader"))
    assert [policy["name"] for policy in owners] == [policy["name"] for policy in readers]
    assert any(policy["verdicts"] for policy in owners)
    assert not any(policy["verdicts"] or policy["in_force"] for policy in readers)


def test_verdicts_are_counted_as_they_are_made(live: LiveGateway, signed_in: SignedIn, tmp_path: Path) -> None:
    """No visit waits for a count of everything."""

    def cleared() -> int:
        live.settle()
        policies = signed_in("admin").get("/policies.json").json()["policies"]
        return max(int(each["verdicts"].get("cleared", 0)) for each in policies)

    before = cleared()
    live.push(tmp_path, "counted/app:v1", cleared_image("counted"))
    assert cleared() == before + 1


def test_a_replay_says_what_would_change(signed_in: SignedIn) -> None:
    """And changes nothing."""
    client = signed_in("admin")
    shown = client.get("/policies.json", params={"replay": "azureml-2020-11"}).json()["replay"]
    assert shown["looked_at"] >= 4
    assert shown["changes"] == len(shown["flips"]) > 0
    assert client.get("/policies.json", params={"replay": "none"}).status_code == 404
    assert client.get("/r/team/app:good.json").json()["verdict"] == "cleared"


def test_activity_is_that_of_visible_repositories(signed_in: SignedIn) -> None:
    """With the name of who did it."""
    events = signed_in("reader").get("/activity.json").json()["events"]
    newest = next(each for each in events if each["tag"] and each["repository"].startswith("team/"))
    assert (newest["kind"], newest["repository"], newest["tag"], newest["by"]) == (
        "manifest.pushed",
        "team/multi",
        "v1",
        "admin",
    )
    assert signed_in("outsider").get("/activity.json").json()["events"] == []


def test_activity_is_silent_of_what_is_locked_against_lists(live: LiveGateway, signed_in: SignedIn) -> None:
    """As lists are; unlocked, it is told again."""
    client = signed_in("admin")

    def told() -> set[str]:
        return {tag for each in client.get("/activity.json").json()["events"] for tag in each["tags"]}

    with live.client("admin") as program:
        for listed in (False, True):
            program.patch("/acr/v1/team/app/_tags/good", json={"listEnabled": listed}).raise_for_status()
            assert ("good" in told()) is listed


def test_activity_goes_back_page_by_page(signed_in: SignedIn) -> None:
    """Before an event are the older ones."""
    client = signed_in("admin")
    events = client.get("/activity.json").json()["events"]
    older = client.get("/activity.json", params={"before": events[2]["id"]}).json()["events"]
    assert older == events[3:]
    assert client.get("/activity", params={"before": "x"}).status_code == 400


def test_a_layer_shows_the_images_that_the_caller_may_pull(signed_in: SignedIn) -> None:
    """A refused one that shares it is not told of to who may only pull."""
    layer = signed_in("admin").get("/r/team/app:bad.json").json()["layers"][0]["digest"]
    shown = {name: signed_in(name).get(f"/layers/{layer}.json") for name in ("admin", "reader", "outsider")}
    verdicts = {name: {image["verdict"] for image in answer.json().get("images", ())} for name, answer in shown.items()}
    assert verdicts == {"admin": {"cleared", "refused"}, "reader": {"cleared"}, "outsider": set()}
    assert shown["outsider"].status_code == 404


def test_a_comparison_finds_the_first_layer_that_differs(signed_in: SignedIn) -> None:
    """And the facts that changed."""
    params = {"from": "bad", "to": "good"}
    comparison = signed_in("admin").get("/compare/team/app.json", params=params).json()["comparison"]
    facts = {each["fact"]: (each["from"], each["to"]) for each in comparison["facts"]}
    assert comparison["first_difference"] == 2
    assert (facts["python"], facts["verdict"]) == (("3.7.1", "3.6.8"), ("refused", "cleared"))


@pytest.mark.parametrize(("sides", "words"), [(("bad", "good"), "larger"), (("good", "bad"), "smaller")])
def test_a_comparison_says_how_much_the_size_changed(
    live: LiveGateway, signed_in: SignedIn, sides: tuple[str, str], words: str
) -> None:
    """In the direction that was asked for."""
    client = signed_in("admin")
    sizes = [client.get(f"/r/team/app:{tag}.json").json()["size"] for tag in sides]
    page = client.get("/compare/team/app", params={"from": sides[0], "to": sides[1]}).text
    assert f"The second is {size(abs(sizes[1] - sizes[0]))} {words}." in page


def test_a_comparison_tells_nothing_of_what_is_withheld(signed_in: SignedIn) -> None:
    """The other side is shown."""
    params = {"from": "bad", "to": "good"}
    comparison = signed_in("reader").get("/compare/team/app.json", params=params).json()["comparison"]
    assert comparison["withheld"][0]
    assert (comparison["withheld"][1], comparison["layers"]) == ("", [])


def test_garbage_explains_why_something_is_kept(live: LiveGateway, signed_in: SignedIn) -> None:
    """As `gc explain` does."""
    client = signed_in("admin")
    digest = client.get("/r/team/app:good.json").json()["layers"][0]["digest"]
    shown = client.get("/gc.json", params={"explain": digest}).json()["explanation"]
    assert shown["kept"]
    assert any(reason.startswith("team/app uses it") for reason in shown["reasons"])


@pytest.fixture(name="rule")
def _rule(live: LiveGateway) -> Iterator[None]:
    """While a test runs, retention keeps what is cleared in one repository."""
    settings, before = live.registry.app.settings, live.registry.app.settings.current
    rule = {"repositories": ["team/app"], "keep": [{"marked": ["cleared"]}], "else": "delete"}
    settings.replace(before.model_copy(update={"retention": RetentionSettings.model_validate({"rules": [rule]})}))
    yield
    settings.replace(before)


@pytest.mark.usefixtures("rule")
def test_garbage_tells_what_retention_says(signed_in: SignedIn) -> None:
    """Of a manifest, in each repository that a rule matches."""
    client = signed_in("admin")
    digests = {tag: client.get(f"/r/team/app:{tag}.json").json()["digest"] for tag in ("good", "bad")}
    pages = {tag: client.get("/gc.json", params={"explain": digest}).json() for tag, digest in digests.items()}
    assert pages["good"]["retention"] == ["in team/app, the rules of retention keep it: tag good is kept"]
    (sentence,) = pages["bad"]["retention"]
    assert sentence == "in team/app, no rule of retention keeps it: the next run of retention removes it"
    assert sentence in client.get("/gc", params={"explain": digests["bad"]}).text


def test_principals_without_their_secrets(live: LiveGateway, signed_in: SignedIn) -> None:
    """Only when they end."""
    page = signed_in("admin").get("/principals.json")
    assert {each["name"] for each in page.json()["principals"]} == {"admin", "reader", "outsider"}
    assert not any(secret in page.text for secret in live.secrets.values())
    assert "argon2" not in page.text
