"""The search for images: pages of what meets conditions, as far as the caller may see it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from policy.enforcement.gate import PolicyGate
from policy.search.candidates import Candidates, Match
from policy.search.question import Question
from policy.search.tally import Tally, tally_of
from policy.state import State
from registry.metadata import image_search, last_pulls, overviews
from registry.metadata.image_search import FoundTag, Place
from registry.metadata.overviews import ManifestOverview
from registry.metadata.store import MetadataStore
from registry.oci.digest import Digest
from registry.oci.errors import BadRequest, ManifestUnknown, OciError
from registry.oci.image_reference import ImageReference
from registry.oci.names import RepositoryName
from registry.oci.timestamp import timestamp

_TAGS = 10
_AT_ONCE = 10
"""Images that are asked about before others have their turn."""


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image that was found.

    Attributes:
        match: what met the conditions.
        overview: its row.
        exempt: whether an exemption lets it through.
        tags: those that moved last, ten at most.
        more_tags: whether it has more.
        pulled: its last pull, seconds since the epoch; `None`: never.
    """

    match: Match
    overview: ManifestOverview
    exempt: bool
    tags: tuple[FoundTag, ...]
    more_tags: bool
    pulled: float | None

    def document(self) -> dict[str, Any]:
        """As JSON-able data; times in ISO 8601 (UTC), `None` for never."""
        shown, match = self.overview, self.match
        return {
            "repository": match.candidate.repository,
            "digest": match.candidate.digest,
            "tags": [
                {"tag": tag.name, "updated": timestamp(tag.updated), "pulled": _or_never(tag.pulled)}
                for tag in self.tags
            ],
            "more_tags": self.more_tags,
            "media_type": shown.media_type,
            "artifact_type": shown.artifact_type,
            "size": shown.size,
            "pushed": timestamp(shown.pushed),
            "pushed_by": shown.pushed_by,
            "pulled": _or_never(self.pulled),
            "policy": match.policy.name,
            "verdict": match.state.value,
            "exempt": self.exempt,
            "facts": {name: list(values) for name, values in match.facts.items()},
        }


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Images in order, and where the next page begins; "" when there is none. A page may have fewer than there is room
    for, or none, where few of those that were looked at meet the conditions.
    """

    images: tuple[FoundImage, ...]
    next: str


class ImageSearch:
    """Searches.

    Args:
        gate: knows verdicts and exemptions, and withholds.
        metadata: the rows.
        looked_at: returns how many images are looked at for one page at most.
    """

    def __init__(self, gate: PolicyGate, metadata: MetadataStore, looked_at: Callable[[], int]) -> None:
        self._gate = gate
        self._metadata = metadata
        self._looked_at = looked_at
        self._candidates = Candidates(gate.results)

    async def page(self, question: Question) -> FoundPage:
        """The page of a question.

        Raises:
            BadRequest: it does not begin at a place that a page told.
            ManifestUnknown: the caller may pull no image that a condition names as base.
        """
        wanted = question.wanted(await self._base(question))
        bound, looked_at = self._gate.bindings.current(), 0
        start = await self._metadata.read_apart(_place, question)
        place, shown, exempt = start, list[Match](), dict[int, bool]()
        while True:
            chunk = await self._metadata.read_apart(self._candidates.chunk, question, wanted, place, bound)
            looked_at += max(1, chunk.looked_at)
            shown += await self._permitted(question, chunk.matches, exempt)
            if len(shown) > question.count:
                last = shown[question.count - 1].candidate
                return await self._found(shown[: question.count], f"{last.digest}@{last.repository}", exempt)
            if chunk.place is None:
                return await self._found(shown, "", exempt)
            place = chunk.place
            told = _told(start, place, [each.candidate.place for each in shown])
            if looked_at >= self._looked_at() and told:
                return await self._found(shown, told, exempt)

    async def tally(self, question: Question, most: int) -> Tally:
        """How many of the images that are meant have what; about `most` are looked at, what is not seen too."""
        wanted, bound = question.wanted(()), self._gate.bindings.current()
        place: Place | None = Place()
        looked_at, found = 0, list[Match]()
        while place is not None and looked_at < most:
            chunk = await self._metadata.read_apart(self._candidates.chunk, question, wanted, place, bound)
            looked_at, place = looked_at + max(1, chunk.looked_at), chunk.place
            found += chunk.matches
        return tally_of(found, more=place is not None)

    async def _base(self, question: Question) -> tuple[str, ...]:
        for condition in question.of("base"):
            repository, digest = await self._resolved(question, condition.value)
            layers = await self._metadata.read_apart(image_search.layers_of, repository, digest)
            if layers:
                return layers
            raise ManifestUnknown(f"{condition.value} has no layers that another image could begin with")
        return ()

    async def _resolved(self, question: Question, text: str) -> tuple[RepositoryName, Digest]:
        """The image that a condition names, if the caller may pull it."""
        try:
            image = ImageReference.parse_local(text)
        except OciError as error:
            raise BadRequest(f"base={text[:128]} names no image: {error.message}") from error
        unknown = ManifestUnknown(f"there is no image {text[:200]} that you may pull")
        if not question.sees(image.repository):
            raise unknown
        try:
            found = await self._metadata.read(overviews.manifest, image.repository, image.reference)
        except OciError:
            raise unknown from None
        if await self._gate.withheld_now(question.principal, image.repository, [found.digest]):
            raise unknown
        return image.repository, found.digest

    async def _permitted(self, question: Question, matches: Sequence[Match], exempt: dict[int, bool]) -> list[Match]:
        """Those that meet conditions on exemptions; where layers are asked for, those that the caller may pull."""
        found = list(matches)
        if question.of("layer", "base"):
            found = [each for number, each in enumerate(found) if not await self._is_withheld(question, each, number)]
        conditions = question.of("exempt")
        if conditions:
            await self._ask_exempt(found, exempt)
            told = [(each, ("yes" if exempt[each.candidate.id] else "no",)) for each in found]
            found = [each for each, word in told if all(condition.holds(word) for condition in conditions)]
        return found

    async def _is_withheld(self, question: Question, match: Match, number: int) -> bool:
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        digest = match.candidate.digest
        return digest in await self._gate.withheld_now(question.principal, match.candidate.repository, [digest])

    async def _ask_exempt(self, matches: Sequence[Match], known: dict[int, bool]) -> None:
        """Note by id which of them an exemption lets through, as far as that is not known."""
        for number, match in enumerate(matches):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if match.candidate.id not in known:
                known[match.candidate.id] = await self._is_exempt(match)

    async def _is_exempt(self, match: Match) -> bool:
        candidate = match.candidate
        if match.state is not State.REFUSED or not self._gate.exemptions():
            return False
        known = await self._gate.conclusion(candidate.repository, candidate.digest, known=True)
        return known is not None and bool(known.exemptions)

    async def _found(self, matches: Sequence[Match], following: str, exempt: dict[int, bool]) -> FoundPage:
        rows = await self._metadata.read_apart(_details, matches)
        await self._ask_exempt(matches, exempt)
        images = [
            FoundImage(match, shown, exempt[match.candidate.id], tags[:_TAGS], len(tags) > _TAGS, pulled)
            for match, shown, tags, pulled in rows
        ]
        return FoundPage(tuple(images), following)


def _details(
    connection: Any, matches: Sequence[Match]
) -> list[tuple[Match, ManifestOverview, tuple[FoundTag, ...], float | None]]:
    """What the rows say of matches, without those that are gone by now."""
    shown = overviews.manifests_of_ids(connection, [each.candidate.id for each in matches])
    found = []
    for match in matches:
        candidate = match.candidate
        if candidate.id in shown:
            tags = tuple(image_search.tags_of(connection, candidate.id, _TAGS + 1))
            pulled = last_pulls.latest_of_one(connection, candidate.repository, candidate.digest)
            found.append((match, shown[candidate.id], tags, pulled))
    return found


def _place(connection: Any, question: Question) -> Place:
    """Where a page begins: a digest with its repository, or the beginning of a digest."""
    digest, _, repository = question.after.partition("@")
    if not question.after:
        return Place()
    if repository:
        name = RepositoryName.parse(repository)
        # As if it were not there: the page would tell whether a hidden repository holds the digest.
        return image_search.place_of(connection, digest, name) if question.sees(name) else Place(digest, 0)
    if not digest.startswith("sha") or len(digest) > 140:
        raise BadRequest("last is no place in a search: leave it out, or take it from the Link of the page before")
    return Place(digest, 0)


def _told(start: Place, reached: Place, shown: Sequence[Place]) -> str:
    """Where to go on from a place that was reached, without a digest that the caller may not see: its beginning.

    What lies between is looked at again. "" where that would lead back to the start.
    """
    least = max([start.digest, *(each.digest for each in shown)])
    for length in range(len("sha256:"), len(reached.digest)):
        beginning = reached.digest[: length + 1]
        if beginning > least:
            return beginning
    return ""


def _or_never(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(seconds)
