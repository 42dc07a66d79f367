"""Every page in a real browser: read by everybody, at every width, by keyboard, with and without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page

from tests.clients.trees import cleared_image
from tests.policy.live import LiveGateway
from tests.policy.web.chromium import HOSTILE, PATHS, PREFIX, chromium, shown_registry, sign_in

pytestmark = pytest.mark.client("chromium")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_ADDED = re.compile(r"^Copy$|New events are added|Load this page again for what is newer|· request ")
WIDTHS = (320, 640, 1023, 1024, 1280, 1600)
_STOP = """() => {
    const stop = document.activeElement, style = getComputedStyle(stop);
    return stop === document.body ? null : [stop.outerHTML.slice(0, 100), style.outlineStyle, style.outlineWidth];
}"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A server with images of every kind."""
    with shown_registry(tmp_path_factory.mktemp("browser")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def browser(live: LiveGateway) -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=SCHEMES)
def page(request: pytest.FixtureRequest, browser: Browser, live: LiveGateway) -> Iterator[Page]:
    """A page of a session of an owner, in light and in dark."""
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    yield sign_in(context, live)
    context.close()


@pytest.fixture(scope="module")
def both(browser: Browser, live: LiveGateway) -> Iterator[tuple[Page, Page]]:
    """A page of a session with scripts, and one without."""
    with_scripts, without = browser.new_context(), browser.new_context(java_script_enabled=False)
    yield sign_in(with_scripts, live), sign_in(without, live)
    with_scripts.close()
    without.close()


def violations(page: Page) -> list[Any]:
    """What axe finds: the rule, and the first element."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found]


@pytest.mark.parametrize("path", PATHS)
def test_everybody_can_read_it(page: Page, live: LiveGateway, path: str) -> None:
    """Axe finds nothing, wide and narrow, and no width has a sideways scroll."""
    page.goto(f"{live.registry.url}{path}")
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
    scrolls = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        scrolls.append(page.evaluate("document.documentElement.scrollWidth"))
    assert scrolls == list(WIDTHS)


def test_everybody_can_read_new_secrets(page: Page, live: LiveGateway) -> None:
    """The answer to a form, which has no address of its own, and is whole without scripts as it was sent."""
    page.goto(f"{live.registry.url}/rotate/outsider")
    page.click("main form button")
    page.locator("h1:text-is('New secrets of outsider')").wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert (violations(page), page.evaluate("document.documentElement.scrollWidth")) == ([], width)


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/r/no/such"])
def test_nothing_is_refused_by_the_page_s_own_policy(page: Page, live: LiveGateway, path: str) -> None:
    """The console stays empty: no style, script or picture was asked for that is not allowed or not there."""
    said: list[str] = []
    opened = page.context.new_page()
    opened.on("console", lambda message: said.append(message.text))
    opened.goto(f"{live.registry.url}{path}")
    opened.close()
    assert said == []


def test_everything_works_without_scripts(browser: Browser, live: LiveGateway) -> None:
    """Signing in, searching, following links, and a change."""
    context = browser.new_context(java_script_enabled=False)
    page = sign_in(context, live)
    page.fill("#q", "multi")
    page.press("#q", "Enter")
    page.click("text=team/multi")
    page.click("tbody >> text=v1")
    assert "team/multi:v1" in page.title()
    assert page.locator(".headline").inner_text().startswith("Cleared:")
    page.click("text=sign out")
    assert page.locator("#secret").is_visible()
    context.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_without_scripts(both: tuple[Page, Page], live: LiveGateway, path: str) -> None:
    """It has all that it has with them, but for what they add: buttons, and what is said of them."""
    shown = []
    for each in both:
        each.goto(f"{live.registry.url}{path}")
        assert each.locator("h1").is_visible()
        lines = each.locator("main").inner_text().splitlines()
        shown.append([line for line in lines if line.strip() and not _ADDED.search(line)])
    assert shown[0] == shown[1]


def test_a_search_by_facts_without_scripts(browser: Browser, live: LiveGateway) -> None:
    """Fields and a line of conditions, from the catalog on."""
    context = browser.new_context(java_script_enabled=False)
    page = sign_in(context, live)
    page.click("text=Find images by what is in them")
    page.select_option("#verdict", "refused")
    page.click("text=Find images >> nth=-1")
    assert [each.split("\t")[0] for each in page.locator("tbody >> nth=0").all_inner_texts()]
    page.fill("#where", "repository=team/app")
    page.press("#where", "Enter")
    assert page.locator("#found tbody tr").count() == 1
    context.close()


def test_found_while_typing(page: Page, live: LiveGateway) -> None:
    """Without a new page, and the address says what is shown."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{live.registry.url}/search")
    page.evaluate("window.same = true")
    page.fill("#where", "os.name=ubuntu repository=team/app")
    page.locator("#found tbody tr >> nth=1").wait_for()
    page.select_option("#verdict", "refused")
    page.locator("#found caption", has_text="1 image").wait_for()
    assert page.evaluate("window.same")
    assert "verdict=refused" in page.url
    page.fill("#where", "os.name")
    assert page.locator("[role=alert]").inner_text().startswith("'os.name' is no condition")


def test_names_are_found_while_typing(page: Page, live: LiveGateway) -> None:
    """In the catalog as well."""
    page.goto(f"{live.registry.url}/")
    page.evaluate("window.same = true")
    page.fill("#q", "multi")
    page.locator("#found tr", has_text="team/multi").wait_for()
    page.locator("#found tr", has_text="team/app").wait_for(state="detached")
    assert page.evaluate("window.same")
    assert "q=multi" in page.url


def test_activity_goes_on_by_itself(browser: Browser, live: LiveGateway, tmp_path: Path) -> None:
    """A push appears on a page that stays open."""
    context = browser.new_context()
    page = sign_in(context, live)
    page.goto(f"{live.registry.url}/activity")
    page.evaluate("window.same = true")
    live.push(tmp_path, "team/live:v1", cleared_image("live"))
    page.locator("tbody tr", has_text="team/live").first.wait_for()
    assert page.evaluate("window.same")
    shown = page.locator("tbody tr th time").all_inner_texts()
    page.reload()
    assert page.locator("tbody tr th time").all_inner_texts() == shown
    context.close()


def test_rows_wait_where_somebody_is_at_one(browser: Browser, live: LiveGateway, tmp_path: Path) -> None:
    """With the keyboard, or who has paused; they come when it goes on."""
    context = browser.new_context()
    page = sign_in(context, live)
    page.goto(f"{live.registry.url}/activity")
    page.click("#live button")
    live.push(tmp_path, "team/waiting:v1", cleared_image("waiting"))
    page.locator("#live", has_text="1 new event waits").wait_for()
    assert page.locator("tbody tr", has_text="team/waiting").count() == 0
    page.click("#live button")
    page.locator("tbody tr", has_text="team/waiting").first.wait_for()
    page.locator("tbody tr", has_text="team/waiting").first.locator("text=cleared").wait_for()
    context.close()


def test_found_opened_and_deleted_by_keyboard(browser: Browser, live: LiveGateway, tmp_path: Path) -> None:
    """Without the pointer once: what is typed, and Tab and Enter."""
    live.push(tmp_path, "team/unwanted:v1", cleared_image("unwanted"))
    context = browser.new_context()
    page = sign_in(context, live)
    tab_to(page, "#q")
    page.keyboard.type("unwanted")
    page.keyboard.press("Enter")
    for link in ("team/unwanted", "v1", "Delete the tag v1…"):
        page.locator(f"a:text-is('{link}')").first.wait_for()
        tab_to(page, f"a:text-is('{link}')")
        page.keyboard.press("Enter")
    tab_to(page, "#name")
    page.keyboard.type("v1")
    page.keyboard.press("Enter")
    page.locator("h1:text-is('team/unwanted')").wait_for()
    assert page.locator("#tags tbody tr").count() == 0


def tab_to(page: Page, stop: str) -> None:
    """Press Tab until an element has the focus."""
    wanted = page.locator(stop).first
    wanted.wait_for()
    for _ in range(60):
        if wanted.evaluate("(each) => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{stop} is not reached in 60 steps")


def test_a_command_is_copied_by_keyboard(browser: Browser, live: LiveGateway) -> None:
    """As it stands on the page."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = sign_in(context, live)
    page.goto(f"{live.registry.url}/r/team/app:good")
    line = page.locator("#commands pre.cmd").first.inner_text()
    page.locator("#commands button").first.focus()
    page.keyboard.press("Enter")
    page.locator("#commands button", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == line
    context.close()


def test_with_the_keyboard_alone(page: Page, live: LiveGateway) -> None:
    """Each stop can be seen; the first one skips what every page has."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{live.registry.url}/r/team/app:bad")
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop is None:
            break
        stops.append(stop)
    assert "Skip to the content" in stops[0][0]
    assert [stop for stop in stops if stop[1] == "none" or stop[2] == "0px"] == []
    assert len(stops) > 15


def test_markup_in_images_is_text(page: Page, live: LiveGateway) -> None:
    """Paths and settings of a hostile image are shown as they are, and nothing of them is run."""
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    for path in ("/r/team/hostile:v1", f"/?q={HOSTILE}", f"/activity?before={HOSTILE}", f"/r/{HOSTILE}"):
        page.goto(f"{live.registry.url}{path}")
        assert page.locator("img").count() == 0
    page.goto(f"{live.registry.url}/r/team/hostile:v1")
    assert PREFIX in page.locator("#rules").inner_text()
    assert PREFIX in page.locator("#configuration").inner_text()
    assert dialogs == []


def test_a_verdict_is_a_word_and_a_shape(page: Page, live: LiveGateway) -> None:
    """Not only a colour."""
    page.goto(f"{live.registry.url}/r/team/app")
    marks = page.locator("tbody .verdict")
    assert {marks.nth(at).inner_text() for at in range(marks.count())} == {"cleared", "refused"}
    assert {marks.nth(at).locator("use").get_attribute("href") for at in range(marks.count())} == {
        "#m-cleared",
        "#m-refused",
    }
