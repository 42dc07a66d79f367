"""The rows of the pages. Each asks by itself who calls, so that whoever has not signed in gets the form for that."""

from collections.abc import Callable

from policy.enforcement.gate import PolicyGate
from policy.search.images import ImageSearch
from policy.web.addresses import json_address
from policy.web.handlers import Pages
from policy.web.pages.activity import ActivityPage
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
from policy.web.pages.rollback import RollbackPage
from policy.web.pages.rotation import rotate, rotation_page
from policy.web.pages.search import SearchPage
from policy.web.settings import WebSettings
from policy.web.sign_in import SignInHandlers, sign_out
from policy.web.static_files import LIVE, SCRIPT, STYLE, live_script, script, stylesheet
from registry.api.requirements import Requirement
from registry.api.routes import Handler, Row
from registry.api.services import Stores
from registry.config.events import EventSettings
from registry.notifications.feed import Feed

_READ = "GET HEAD"


def table(
    gate: PolicyGate, search: ImageSearch, settings: Callable[[], WebSettings], stores: Stores
) -> tuple[Row, ...]:
    """The rows of the route table.

    Args:
        gate: knows the verdicts.
        search: finds images.
        settings: returns the section `web`.
        stores: of the registry.
    """
    pages, signing, parsing = Pages(settings), SignInHandlers(settings), stores.parsing
    activity = _activity(gate, stores)
    exemptions, rollback = ExemptionsPage(gate), RollbackPage(gate)
    return (
        *_both("/", "web.catalog", pages.shows(CatalogPage(gate, search))),
        *_both("/search", "web.search", pages.shows(SearchPage(search))),
        *_both("/activity", "web.activity", pages.shows(activity, activity.stream)),
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
        _row(_READ, "/rollback/{rest:path}", "web.ask_to_roll_back", pages.shows(rollback)),
        _row("POST", "/rollback/{rest:path}", "web.roll_back", pages.acts(rollback.act)),
        _row(_READ, "/rotate/{rest:path}", "web.ask_to_rotate", pages.shows(rotation_page)),
        _row("POST", "/rotate/{rest:path}", "web.rotate", pages.acts(rotate)),
        _row(_READ, "/r/{rest:path}", "web.place", pages.shows(ContentPage(gate, parsing))),
        _row(_READ, "/sign-in", "web.ask", signing.ask),
        _row("POST", "/sign-in", "web.sign_in", signing.sign_in),
        _row("POST", "/sign-out", "web.sign_out", pages.acts(sign_out)),
        _row(_READ, "/openapi", "description.page", api_page),
        _row(_READ, f"/{STYLE}", "web.style", stylesheet),
        _row(_READ, f"/{SCRIPT}", "web.script", script),
        _row(_READ, f"/{LIVE}", "web.live_script", live_script),
    )


def _activity(gate: PolicyGate, stores: Stores) -> ActivityPage:
    def settings() -> EventSettings:
        return stores.settings.current.events

    return ActivityPage(gate, Feed(stores.metadata, settings), settings)


def _both(path: str, operation: str, handler: Handler) -> tuple[Row, ...]:
    """A page without a name in its path, and its JSON."""
    return tuple(_row(_READ, each, operation, handler) for each in (path, json_address(path)))


def _row(methods: str, path: str, operation: str, handler: Handler) -> Row:
    return Row(methods, path, Requirement.NOTHING, operation, handler)
