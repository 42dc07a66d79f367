"""The rows of the pages. Each asks by itself who calls, so that whoever has not signed in gets the form for that."""

from collections.abc import Callable

from policy.enforcement.gate import PolicyGate
from policy.search.images import ImageSearch
from policy.web.addresses import json_address
from policy.web.handlers import Pages
from policy.web.pages.activity import activity_page
from policy.web.pages.api import api_page
from policy.web.pages.catalog import CatalogPage
from policy.web.pages.compare import ComparePage
from policy.web.pages.content import ContentPage
from policy.web.pages.deletion import delete, deletion_page
from policy.web.pages.exemptions import ExemptionsPage
from policy.web.pages.garbage import GarbagePage
from policy.web.pages.image import ImagePage
from policy.web.pages.layer import LayerPage
from policy.web.pages.policies import PoliciesPage
from policy.web.pages.principals import principals_page
from policy.web.pages.search import SearchPage
from policy.web.settings import WebSettings
from policy.web.sign_in import SignInHandlers, sign_out
from policy.web.static_files import SCRIPT, STYLE, script, stylesheet
from registry.api.requirements import Requirement
from registry.api.routes import Handler, Row
from registry.content.parsing import Parsing

_READ = "GET HEAD"


def table(
    gate: PolicyGate, search: ImageSearch, settings: Callable[[], WebSettings], parsing: Parsing
) -> tuple[Row, ...]:
    """The rows of the route table.

    Args:
        gate: knows the verdicts.
        search: finds images.
        settings: returns the section `web`.
        parsing: reads long manifests beside the event loop.
    """
    pages, signing = Pages(settings), SignInHandlers(settings)
    exemptions = ExemptionsPage(gate)
    return (
        *_both("/", "web.catalog", pages.shows(CatalogPage(gate))),
        *_both("/search", "web.search", pages.shows(SearchPage(search))),
        *_both("/activity", "web.activity", pages.shows(activity_page)),
        *_both("/policies", "web.policies", pages.shows(PoliciesPage(gate))),
        *_both("/exemptions", "web.exemptions", pages.shows(exemptions)),
        *_both("/principals", "web.principals", pages.shows(principals_page)),
        *_both("/gc", "web.garbage", pages.shows(GarbagePage())),
        _row("POST", "/exemptions", "web.exempt", pages.acts(exemptions.make)),
        _row("POST", "/exemptions/end", "web.revoke", pages.acts(exemptions.end)),
        _row(_READ, "/compare/{rest:path}", "web.compare", pages.shows(ComparePage(ImagePage(gate, parsing)))),
        _row(_READ, "/layers/{rest:path}", "web.layer", pages.shows(LayerPage(gate))),
        _row(_READ, "/delete/{rest:path}", "web.ask_to_delete", pages.shows(deletion_page)),
        _row("POST", "/delete/{rest:path}", "web.delete", pages.acts(delete)),
        _row(_READ, "/r/{rest:path}", "web.place", pages.shows(ContentPage(gate, parsing))),
        _row(_READ, "/sign-in", "web.ask", signing.ask),
        _row("POST", "/sign-in", "web.sign_in", signing.sign_in),
        _row("POST", "/sign-out", "web.sign_out", pages.acts(sign_out)),
        _row(_READ, "/openapi", "description.page", api_page),
        _row(_READ, f"/{STYLE}", "web.style", stylesheet),
        _row(_READ, f"/{SCRIPT}", "web.script", script),
    )


def _both(path: str, operation: str, handler: Handler) -> tuple[Row, ...]:
    """A page without a name in its path, and its JSON."""
    return tuple(_row(_READ, each, operation, handler) for each in (path, json_address(path)))


def _row(methods: str, path: str, operation: str, handler: Handler) -> Row:
    return Row(methods, path, Requirement.NOTHING, operation, handler)
