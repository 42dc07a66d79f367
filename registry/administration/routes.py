"""The rows of the administration API, `/admin/v1`: methods, path, what the caller needs, who answers."""

from registry.administration import content_handlers as content
from registry.administration import garbage_handlers as garbage
from registry.administration import principal_handlers as principals
from registry.administration.act import BASE
from registry.administration.body import Body
from registry.administration.garbage_handlers import GarbageHandlers
from registry.administration.principal_handlers import PrincipalHandlers
from registry.administration.retention_handlers import RetentionHandlers
from registry.administration.retention_handlers import explain as explain_retention
from registry.administration.run_handlers import RunHandlers
from registry.administration.sink_handlers import SinkHandlers, list_sinks
from registry.administration.tag_past_handlers import Rollback, show_history
from registry.api.requirements import Requirement
from registry.api.routes import Row

_READ = "GET HEAD"
_NAME = f"{BASE}/repositories/{{name:repository}}"
_TAG = f"{_NAME}/_tags/{{reference}}"
_PRINCIPAL = f"{BASE}/principals/{{principal}}"
_MANIFEST = f"{_NAME}/_manifests/{{reference}}"


def table(body: Body, runs: RunHandlers) -> tuple[Row, ...]:
    """The rows; `body` reads requests, `runs` begins what takes long."""
    read, write, delete = Requirement.METADATA_READ, Requirement.METADATA_WRITE, Requirement.DELETE
    return (
        Row(_READ, f"{BASE}/repositories", Requirement.CATALOG, "admin.list_repositories", content.list_repositories),
        Row(_READ, f"{_NAME}/_tags", read, "admin.list_tags", content.list_tags),
        Row(_READ, f"{_TAG}/_history", read, "admin.show_tag_history", show_history),
        Row("POST", f"{_TAG}/_rollback", Requirement.PUSH, "admin.roll_tag_back", Rollback(body)),
        Row(_READ, _TAG, read, "admin.show_tag", content.show_tag),
        Row("PATCH", _TAG, write, "admin.lock_tag", content.TagLocks(body)),
        Row("DELETE", _TAG, delete, "admin.delete_tag", content.delete_tag),
        Row(_READ, f"{_NAME}/_manifests", read, "admin.list_manifests", content.list_manifests),
        Row(_READ, _MANIFEST, read, "admin.show_manifest", content.show_manifest),
        Row("DELETE", _MANIFEST, delete, "admin.delete_manifest", content.delete_manifest),
        Row(_READ, _NAME, read, "admin.show_repository", content.show_repository),
        Row("DELETE", _NAME, delete, "admin.delete_repository", content.delete_repository),
        *_principals(PrincipalHandlers(body)),
        *_garbage(GarbageHandlers(runs, body)),
        *_retention(RetentionHandlers(runs, body)),
        *_sinks(SinkHandlers(body)),
        Row(_READ, f"{BASE}/runs/{{run}}", Requirement.OWNER, "admin.show_run", runs.show),
    )


def _principals(changing: PrincipalHandlers) -> tuple[Row, ...]:
    owner = Requirement.OWNER
    return (
        Row(_READ, f"{BASE}/principals", owner, "admin.list_principals", principals.list_principals),
        Row("POST", f"{BASE}/principals", owner, "admin.create_principal", changing.create),
        Row("POST", f"{_PRINCIPAL}/rotate", owner, "admin.rotate_principal", changing.rotate),
        Row(_READ, _PRINCIPAL, owner, "admin.show_principal", principals.show_principal),
        Row("PATCH", _PRINCIPAL, owner, "admin.enable_principal", changing.change),
        Row("DELETE", _PRINCIPAL, owner, "admin.delete_principal", principals.delete_principal),
    )


def _garbage(changing: GarbageHandlers) -> tuple[Row, ...]:
    owner = Requirement.OWNER
    return (
        Row("POST", f"{BASE}/gc/plan", owner, "admin.plan_collection", changing.plan),
        Row("POST", f"{BASE}/gc/run", owner, "admin.run_collection", changing.collect),
        Row("POST", f"{BASE}/gc/undo", owner, "admin.undo_collection", changing.undo),
        Row(_READ, f"{BASE}/gc/explanations/{{digest}}", owner, "admin.explain_content", garbage.explain),
        Row(_READ, f"{BASE}/trash", owner, "admin.list_trash", garbage.list_trash),
        Row("POST", f"{BASE}/trash/restore", owner, "admin.restore_run", changing.restore),
        Row("POST", f"{BASE}/trash/empty", owner, "admin.empty_trash", changing.empty),
    )


def _retention(changing: RetentionHandlers) -> tuple[Row, ...]:
    owner, place = Requirement.OWNER, f"{BASE}/retention/explanations/{{name:repository}}"
    return (
        Row("POST", f"{BASE}/retention/plan", owner, "admin.plan_retention", changing.plan),
        Row("POST", f"{BASE}/retention/run", owner, "admin.run_retention", changing.run),
        Row(_READ, place, owner, "admin.explain_retention", explain_retention),
    )


def _sinks(changing: SinkHandlers) -> tuple[Row, ...]:
    owner, sink = Requirement.OWNER, f"{BASE}/sinks/{{sink}}"
    return (
        Row(_READ, f"{BASE}/sinks", owner, "admin.list_sinks", list_sinks),
        Row("POST", f"{sink}/replay", owner, "admin.replay_sink", changing.replay),
        Row("POST", f"{sink}/test", owner, "admin.test_sink", changing.test),
    )
