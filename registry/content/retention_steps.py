"""Removing what a plan of retention says of one repository, some at a time: between two changes others write.

What belongs together goes together: a tag with its manifest, an index with its parts. Referrers go before what they
refer to. So whatever ends a run in the middle, the next plan says of the rest what this one does.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from registry.config.retention import RetentionRule
from registry.content.retention_plan import DELETE, Moment, Unkept, judge_all, subject_in_name
from registry.metadata import retained
from registry.metadata.retained import Mark, RepositoryContent
from registry.metadata.store import MetadataStore
from registry.metadata.trash import Removal
from registry.oci.digest import Digest
from registry.oci.names import RepositoryName, Tag

_IN_VAIN = 3
"""How often a repository is read again before it is judged where nobody else writes."""

_Check = Callable[[Connection, Sequence[Unkept]], bool]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A repository as it was read, and what else its judgement depends on."""

    content: RepositoryContent
    mark: Mark
    moment: Moment


class RepositoryRemoval:
    """What a plan says of one repository, on its way to the trash.

    Args:
        metadata: the rows.
        name: of the repository.
        rules: that were applied to it.
        planned: what they do not keep, all of it.
        removal: the run.
        moment_of: what else the judgement of a content depends on.
        step: how many tags and manifests one change removes; what belongs together is not parted for it.
        told: is called after each change with what it has removed.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        metadata: MetadataStore,
        name: RepositoryName,
        rules: Sequence[RetentionRule],
        planned: Sequence[Unkept],
        removal: Removal,
        moment_of: Callable[[RepositoryContent], Awaitable[Moment]],
        step: int,
        told: Callable[[Sequence[Unkept]], None],
    ) -> None:
        self._metadata = metadata
        self._name = name
        self._rules = rules
        self._unkept = list(planned)
        self._removal = removal
        self._moment_of = moment_of
        self._step = step
        self._told = told
        self._left: deque[list[Unkept]] | None = None

    async def run(self) -> None:
        """Remove it, as long as exactly the rest of the plan comes out of what is there."""
        in_vain = 0
        while (self._left is None or self._left) and (reading := await self._read()) is not None:
            if self._left is None:
                gone = [item for item in self._unkept if item.action == DELETE]
                self._left = deque(steps_of(reading.content, gone, self._step))
            before = len(self._left)
            mark: Mark | None = reading.mark
            if in_vain == _IN_VAIN:  # somebody writes there all the time
                mark = await self._remove(self._is_judged_alike(reading.moment))
            while self._left and mark is not None:
                mark = await self._remove(self._is_as_read(reading.content, mark))
            in_vain = 0 if len(self._left) < before else in_vain + 1

    async def _read(self) -> _Reading | None:
        """The repository as it is; `None` when something else comes out of it than the plan says."""
        content, mark = await self._metadata.read_apart(retained.read, self._name)
        if content is None:
            return None
        moment = await self._moment_of(content)
        judged = await asyncio.to_thread(judge_all, content, self._rules, moment)
        return _Reading(content, mark, moment) if list(judged.unkept) == self._unkept else None

    def _is_as_read(self, content: RepositoryContent, mark: Mark) -> _Check:
        return lambda connection, step: retained.is_unchanged(connection, content, mark, _names(step))

    def _is_judged_alike(self, moment: Moment) -> _Check:
        def check(connection: Connection, _step: Sequence[Unkept]) -> bool:
            content = retained.content_of(connection, self._name)
            return content is not None and list(judge_all(content, self._rules, moment).unkept) == self._unkept

        return check

    async def _remove(self, check: _Check) -> Mark | None:
        """Remove the next step, if a look in the same transaction allows it; returns the mark after it."""
        work = asyncio.ensure_future(self._removed(check))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await work  # it is removed all the same: that must be told
            raise

    async def _removed(self, check: _Check) -> Mark | None:
        left = self._left
        if not left:
            return None
        step = left[0]
        mark = await self._metadata.write(_remove, self._name, self._removal, step, check)
        if mark is not None:
            left.popleft()
            gone = set(step)
            self._unkept = [item for item in self._unkept if item not in gone]
            self._told(step)
        return mark


def steps_of(content: RepositoryContent, gone: Sequence[Unkept], size: int) -> Iterator[list[Unkept]]:
    """What goes, in steps of at most `size` where that parts nothing that belongs together."""
    step: list[Unkept] = []
    for group in _groups(content, gone):
        if step and len(step) + len(group) > size:
            yield step
            step = []
        step += group
    if step:
        yield step


def _groups(content: RepositoryContent, gone: Sequence[Unkept]) -> list[list[Unkept]]:
    """What belongs together, tags before manifests; referrers before what they refer to."""
    going = {item.digest for item in gone if not item.tag}
    leaders = _leaders(content, going)
    groups: dict[str, list[Unkept]] = {}
    for item in gone:
        key = leaders[item.digest] if item.digest in going else f":{item.tag}"
        groups.setdefault(key, []).append(item)
    return sorted(groups.values(), key=lambda group: _place(content, going, group))


def _leaders(content: RepositoryContent, going: Collection[Digest]) -> dict[Digest, Digest]:
    """One manifest for all that are connected by indexes that go."""
    leaders = {digest: digest for digest in going}

    def leader(digest: Digest) -> Digest:
        while leaders[digest] != digest:
            leaders[digest] = digest = leaders[leaders[digest]]
        return digest

    for digest in going:
        for child in content.manifests[digest].children:
            if child in leaders:
                leaders[leader(Digest(child))] = leader(digest)
    return {digest: leader(digest) for digest in going}


def _place(content: RepositoryContent, going: Collection[Digest], group: Sequence[Unkept]) -> tuple[bool, int]:
    follows = any(item.tag and subject_in_name(item.tag) in content.manifests for item in group)
    return not follows, -max(_depth(content, going, item.digest) for item in group)


def _depth(content: RepositoryContent, going: Collection[Digest], digest: Digest) -> int:
    """How many manifests that go it refers to, one through the other."""
    depth, here = 0, content.manifests.get(digest)
    while here is not None and here.subject in going and depth < len(going):
        depth, here = depth + 1, content.manifests.get(Digest(here.subject))
    return depth


def _names(step: Sequence[Unkept]) -> set[str]:
    return {name for item in step for name in (item.tag, item.digest) if name}


def _remove(
    connection: Connection, name: RepositoryName, removal: Removal, step: Sequence[Unkept], check: _Check
) -> Mark | None:
    """Remove a step, unless something has changed: then nothing of it."""
    if not check(connection, step):
        return None
    gone_tags = [(Tag(item.tag), item.digest) for item in step if item.tag]
    retained.remove(connection, name, removal, gone_tags, [item.digest for item in step if not item.tag])
    return retained.mark_of(connection)
