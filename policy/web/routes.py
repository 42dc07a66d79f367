"""The rows of the pages. Each asks by itself who calls, so that whoever has not signed in gets the form for that."""

from collections.abc import Callable

from policy.enforcement.gate import PolicyGate
from policy.web.handlers import Pages
from policy.web.pages.catalog import CatalogPage
from policy.web.pages.place import PlacePage
from policy.web.settings import WebSettings
from policy.web.sign_in import SignInHandlers, sign_out
from policy.web.style import stylesheet
from registry.api.requirements import Requirement
from registry.api.routes import Handler, Row
from registry.content.parsing import Parsing

_READ = "GET HEAD"


def table(gate: PolicyGate, settings: Callable[[], WebSettings], parsing: Parsing) -> tuple[Row, ...]:
    """The rows of the route table.

    Args:
        gate: knows the verdicts.
        settings: returns the section `web`.
        parsing: reads long manifests beside the event loop.
    """
    pages, signing = Pages(settings), SignInHandlers(settings)
    catalog = pages.shows(CatalogPage(gate))
    return (
        _row(_READ, "/", "web.catalog", catalog),
        _row(_READ, "/index.json", "web.catalog", catalog),
        _row(_READ, "/r/{rest:path}", "web.place", pages.shows(PlacePage(gate, parsing))),
        _row(_READ, "/sign-in", "web.ask", signing.ask),
        _row("POST", "/sign-in", "web.sign_in", signing.sign_in),
        _row("POST", "/sign-out", "web.sign_out", pages.acts(sign_out)),
        _row(_READ, "/basegate.css", "web.style", stylesheet),
    )


def _row(methods: str, path: str, operation: str, handler: Handler) -> Row:
    return Row(methods, path, Requirement.NOTHING, operation, handler)
