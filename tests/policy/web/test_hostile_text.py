"""What images and people call things is shown as text, whatever it is."""

from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from policy.web.environment import environment

HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(
        ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "{{ 7*7 }}", "</pre>"]
    ),
)
PAGES = environment()
FRAME = {
    "who": "w",
    "is_owner": False,
    "host": "h",
    "path": "/r/a:b",
    "query": "",
    "form": "f",
    "request_id": "r",
    "has_session": True,
}


class Elements(HTMLParser):
    """Counts the elements of a page, and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more."""
        self.found.append((tag, tuple(name for name, _ in attrs)))


def error_page(text: str) -> str:
    """A page that says a text."""
    values = {"code": text, "status": 403, "message": text, "frame": FRAME | {"who": text}, "pages_of_all": ()}
    return PAGES.get_template("error.html").render(values)


def layers(text: str) -> str:
    """A table of layers one of whose commands is that text."""
    layer = {"index": 0, "digest": "sha256:0", "size": 1, "command": text}
    module = PAGES.get_template("parts.html").module
    return str(module.layers([layer], {0: text}))  # type: ignore[attr-defined]


def findings(text: str) -> str:
    """A finding that says the text in all its parts."""
    place = {"path": text, "state": "found", "value": text, "index": 0, "offset": 1, "size": 1, "shadowed_by": -1}
    change = {"words": text, "lines": [text]}
    finding = {"rule": text, "result": "fail", "needs": text, "message": text, "evidence": [place], "changes": [change]}
    module = PAGES.get_template("parts.html").module
    return str(module.checks([finding | {"fix": text}], True))  # type: ignore[attr-defined]


@settings(deadline=None)
@given(HOSTILE)
def test_no_text_becomes_an_element(text: str) -> None:
    """A page has the same elements with the same attributes, whatever text is on it."""
    for page in (error_page, layers, findings):
        assert Elements(page(text or "x")).found == Elements(page("x")).found
