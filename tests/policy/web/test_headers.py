"""Every answer of every page forbids what a page of this registry never needs."""

import re
from contextlib import closing
from hashlib import sha256

import pytest

from policy.web.responses import SECURITY
from policy.web.static_files import FOLDER
from registry.api.routes import Row
from tests.policy.every_row import every_row
from tests.policy.live import LiveGateway
from tests.policy.web.conftest import OWN, SignedIn

FILES = {"web.style", "web.script", "web.live_script"}
ROWS = [row for row in every_row() if row.operation.startswith("web.") and row.operation not in FILES]
HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
"""Of dist/htmx.min.js in version 2.0.11 of the package htmx.org."""
_SCRIPTS = ["/htmx.min.js", "/basegate.js"]
POLICY = {
    *("default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'", "img-src 'self' data:"),
    *("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"),
}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.methods}-{row.path}" for row in ROWS])
@pytest.mark.parametrize("caller", ["nobody", "admin"])
def test_headers_of_every_page(live: LiveGateway, signed_in: SignedIn, row: Row, caller: str) -> None:
    """Refusals too: a strict policy, no sniffing, and in no cache."""
    path = row.path.replace("{rest:path}", "team/app:good")
    with closing(signed_in(caller) if caller != "nobody" else live.registry.client()) as client:
        answer = client.request(row.methods.split()[0], path, headers=OWN)
    assert answer.status_code < 500
    assert {part.strip() for part in SECURITY["Content-Security-Policy"].split(";")} == POLICY
    if not path.endswith(".json") or answer.status_code < 400:
        assert SECURITY.items() <= {name.title(): value for name, value in answer.headers.items()}.items()
        assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_there_are_pages() -> None:
    """The rows above are found."""
    assert len(ROWS) > 4


def test_no_template_has_anything_inline(live: LiveGateway, signed_in: SignedIn) -> None:
    """Style, script or handlers of events would be dead letters under that policy."""
    client = signed_in("admin")
    pages = [
        client.get(path).text for path in ("/", "/r/team/app", "/r/team/app:bad", "/r/team/multi:v1", "/r/no/such")
    ]
    assert not any(
        mark in page
        for page in pages
        for mark in ("style=", "<script>", "<style", " onclick=", " hx-on", "javascript:")
    )
    assert all(re.findall(r'<script src="(.*?)" defer></script>', page) == _SCRIPTS for page in pages)
    assert all(page.count("<script") == len(_SCRIPTS) for page in pages)


def test_the_script_is_the_one_that_was_chosen(live: LiveGateway) -> None:
    """Unchanged, with its licence beside it; it may neither evaluate text nor ask elsewhere."""
    with live.registry.client() as client:
        answer = client.get("/htmx.min.js")
        again = client.get("/htmx.min.js", headers={"If-None-Match": answer.headers["etag"]})
        page = client.get("/sign-in").text
    assert sha256(answer.content).hexdigest() == HTMX
    assert (answer.headers["content-type"], again.status_code) == ("text/javascript; charset=utf-8", 304)
    assert '"allowEval":false' in page
    assert '"selfRequestsOnly":true' in page
    assert "Zero-Clause BSD" in (FOLDER / "htmx.LICENSE").read_text(encoding="utf-8")
