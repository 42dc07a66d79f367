"""An image: its verdict with findings and evidence, and, for who may pull it, what it consists of."""

import asyncio
import json
from dataclasses import asdict
from functools import partial
from typing import Any

from policy.assessment.verdict import Verdict
from policy.enforcement.gate import PolicyGate
from policy.state import State
from policy.web.owners import is_owner
from policy.web.pages.commands import commands_of, note_of
from policy.web.pages.headline import headline_of
from policy.web.pages.layers import Configuration, configuration_of, layers_of
from policy.web.pages.marks import in_words, manifest_document, short_facts
from policy.web.session import is_secure, origin_of
from policy.web.visit import View, Visit
from registry.auth.actions import Action
from registry.content.manifests import StoredManifest
from registry.content.parsing import Parsing
from registry.metadata import last_pulls, overviews, tag_history
from registry.metadata.overviews import ManifestOverview
from registry.metadata.tag_history import Span
from registry.oci import media_types
from registry.oci.digest import Digest
from registry.oci.errors import ContentTooLarge, Denied
from registry.oci.manifest import ImageIndex, Manifest, parse_manifest
from registry.oci.names import Reference, RepositoryName, Tag

NOTHING = Configuration().document()
_TAGS = 20
_PULLERS = 5
_ENTRIES = 20
_REFERRERS = 50
_AT_ONCE = 0.1
"""Seconds within which who sees what is pending, or refers to it, has it."""
_PENDING = "its layers are being looked into: load this page again"
_FIRST = ("fail", "error", "warn")


class ImagePage:
    """Builds `/r/NAME:TAG` and `/r/NAME@DIGEST`.

    Args:
        gate: knows the verdicts.
        parsing: reads long manifests and configurations beside the event loop.
    """

    def __init__(self, gate: PolicyGate, parsing: Parsing) -> None:
        self._gate = gate
        self._parsing = parsing

    async def __call__(self, visit: Visit, name: RepositoryName, reference: Reference) -> View:
        """Its verdict as it is now; while that is pending, the page says so and does not wait as a pull does."""
        metadata = visit.services.stores.metadata
        shown = await metadata.read(overviews.manifest, name, reference)
        document = {
            "repository": name,
            "reference": reference,
            "tag": reference if isinstance(reference, Tag) else "",
            **manifest_document(shown),
            "tags": await metadata.read(overviews.tags_of, name, shown.digest, _TAGS),
            "pulled": await self._pulled(visit, name, shown.digest),
            "history": await self._history(visit, name, reference),
            **(judged := await self._judgement(name, shown.digest)),
            **await self._content(visit, name, reference, shown, judged["verdict"]),
        }
        return View("image.html", document, _beside(visit, document))

    async def _pulled(self, visit: Visit, name: RepositoryName, digest: Digest) -> list[dict[str, Any]]:
        """The last pulls and whose they were, for owners; for others when the last one was."""
        owner = is_owner(visit)
        found = await visit.services.stores.metadata.read(last_pulls.pullers, name, digest, _PULLERS if owner else 1)
        return [{"time": each.time, "name": each.name if owner else ""} for each in found]

    async def _history(self, visit: Visit, name: RepositoryName, reference: Reference) -> list[dict[str, Any]]:
        """What the tag pointed at, the newest first, without what is withheld or pending; empty for a digest."""
        if not isinstance(reference, Tag):
            return []
        metadata = visit.services.stores.metadata
        entries = await metadata.read(tag_history.page, name, reference, Span(), _ENTRIES)
        digests = {each.digest for each in entries}
        withheld = await self._gate.withheld_now(visit.principal, name, digests)
        return [
            {"digest": each.digest, "time": each.time, "deleted": each.deleted}
            for each in entries
            if each.digest not in withheld
        ]

    async def _judgement(self, name: RepositoryName, digest: Digest) -> dict[str, Any]:
        bound = self._gate.policies.of(name)
        verdict, excused = await self._gate.verdict_now(name, digest)
        state = State.PENDING if verdict is None else verdict.state
        needs = {rule.name: rule.needs for rule in bound.policy.rules}
        exemptions = [] if verdict is None else self._exemptions(name, digest, verdict)
        source = bound.policy.document.source
        return {
            "mode": bound.mode.value,
            "policy": {
                "name": bound.policy.name,
                "digest": bound.policy.digest,
                "subject": bound.policy.document.subject.strip(),
                "source": {"document": source.document, "date": source.date, "text": source.text},
            },
            "verdict": state.value,
            "exempt": list(excused),
            "exemptions": exemptions,
            **(said := _findings(verdict, needs)),
            "headline": headline_of(name, state, bound.mode, said["findings"], exempt=bool(excused)),
        }

    def _exemptions(self, name: RepositoryName, digest: Digest, verdict: Verdict) -> list[dict[str, Any]]:
        """Those that cover a failed rule of the image now."""
        rules = {finding.rule for finding in verdict.findings if finding.result == "fail"}
        live = self._gate.exemptions_of(name, digest, rules)
        return [{**asdict(each), "until": each.until} for each in live]

    async def _content(
        self, visit: Visit, name: RepositoryName, reference: Reference, shown: ManifestOverview, verdict: str
    ) -> dict[str, Any]:
        """What only those see who may pull it; `withheld` says why not."""
        pull = self._pull(visit, name, reference, shown.digest)
        try:
            stored = await asyncio.wait_for(pull, _AT_ONCE if verdict == State.PENDING.value or shown.subject else None)
        except TimeoutError:
            return {"withheld": _PENDING, "layers": [], "referrers": [], "configuration": NOTHING}
        except Denied as refusal:
            return {"withheld": refusal.message, "layers": [], "referrers": [], "configuration": NOTHING}
        manifest = await self._parsed(stored)
        return {
            "withheld": "",
            **await self._parts(visit, manifest),
            "referrers": await self._referrers(visit, name, shown.digest),
        }

    async def _pull(self, visit: Visit, name: RepositoryName, reference: Reference, digest: Digest) -> StoredManifest:
        """Asked first without a note of it: who looks at a page has not been refused a pull. Raises Denied."""
        tag = reference if isinstance(reference, Tag) else None
        decision = await self._gate.manifest_access(visit.principal, name, digest, tag)
        if not decision.allowed:
            raise Denied(decision.message, decision.detail)
        return await visit.services.manifests.pull(visit.principal, name, reference)

    async def _parsed(self, stored: StoredManifest) -> Manifest:
        return await self._parsing.read(len(stored.raw), partial(parse_manifest, stored.raw, stored.media_type))

    async def _parts(self, visit: Visit, manifest: Manifest) -> dict[str, Any]:
        if isinstance(manifest, ImageIndex):
            return {"layers": [], "configuration": NOTHING}
        limit = visit.services.stores.settings.current.limits.manifest_bytes
        try:
            raw = await visit.services.stores.storage.get(manifest.config.digest, min(manifest.config.size, limit))
            configuration = await self._parsing.read(len(raw or b""), partial(configuration_of, raw or b""))
        except ContentTooLarge:
            size = manifest.config.size
            too_large = f"it has {size:,} bytes, and is shown up to {limit:,} bytes (setting limits.manifest_bytes)"
            configuration = Configuration(trouble=too_large)
        return {"layers": layers_of(manifest, configuration), "configuration": configuration.document()}

    async def _referrers(self, visit: Visit, name: RepositoryName, digest: Digest) -> list[dict[str, Any]]:
        page = await visit.services.referrers.page(visit.principal, name, digest, "", _REFERRERS, "")
        return [json.loads(entry) for entry in page.entries]


def _beside(visit: Visit, document: dict[str, Any]) -> dict[str, Any]:
    """What the page says beside the document: commands for this caller, and what it may do."""
    request, is_image = visit.request, document["verdict"] != State.NOT_APPLICABLE.value
    is_plain, is_index = not is_secure(request), document["media_type"] in media_types.INDEXES
    lines = commands_of(
        origin_of(request).partition("://")[2],
        document["repository"],
        document["reference"],
        document["digest"],
        visit.principal.name,
        is_plain=is_plain,
        is_image=is_image,
    )
    note = note_of(is_plain=is_plain, is_image=is_image, is_index=is_index)
    may_delete = visit.may(Action.DELETE, document["repository"])
    may_push = visit.may(Action.PUSH, document["repository"])
    return {"commands": lines, "commands_note": note, "may_delete": may_delete, "may_push": may_push}


def _findings(verdict: Verdict | None, needs: dict[str, str]) -> dict[str, Any]:
    """What fails first, then the policy's order."""
    if verdict is None:
        return {"facts": short_facts({}), "findings": [], "children": []}
    document = verdict.document()
    findings = [
        {**finding, "needs": in_words(finding["rule"], needs.get(finding["rule"], ""))}
        for finding in document["findings"]
    ]
    findings.sort(key=lambda finding: _FIRST.index(finding["result"]) if finding["result"] in _FIRST else len(_FIRST))
    return {"facts": short_facts(document["facts"]), "findings": findings, "children": document["children"]}
