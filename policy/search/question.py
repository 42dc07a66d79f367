"""A question: conditions, taken apart by who can answer them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from policy.search.conditions import FACTS, OF_CONTENT, Condition, Form
from policy.search.values import since
from registry.auth.principals import Principal
from registry.metadata.image_search import Compared, Named, Wanted
from registry.oci.names import RepositoryName

_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""What is older than an age moved before a time."""


_NOTHING: Compared = ("<", 0.0)
"""A size that no image has: conditions that contradict each other."""


@dataclass(frozen=True)
class Question:
    """What is asked, and for whom.

    Attributes:
        conditions: all must hold.
        principal: who asks.
        sees: whether a repository may be shown to whoever asks.
        count: images on a page.
        after: where the page begins, as the page before told it; "" for the first.
        now: seconds since the epoch, from which ages are counted.
    """

    conditions: tuple[Condition, ...]
    principal: Principal
    sees: Callable[[RepositoryName], bool]
    count: int
    after: str = ""
    now: float = 0.0

    def of(self, *facts: str) -> tuple[Condition, ...]:
        """The conditions on these facts."""
        return tuple(each for each in self.conditions if each.fact in facts)

    @cached_property
    def content(self) -> tuple[Condition, ...]:
        """Those on what is in an image; without a word of kinds, artifacts are left out."""
        found = self.of(*OF_CONTENT)
        return found if self.of("kind") else (*found, Condition("kind", "!=", "artifact"))

    @property
    def asks_of_content(self) -> bool:
        """Whether there are conditions that only an inspected image can meet."""
        return bool(self.of(*(OF_CONTENT - {"kind"})))

    @cached_property
    def may_be_pending(self) -> bool:
        """Whether an image may be meant that was not inspected yet."""
        told = [("verdict", "pending"), ("kind", "image")]  # what is none is known by its types
        return not self.asks_of_content and all(each.holds((word,)) for fact, word in told for each in self.of(fact))

    @property
    def layer(self) -> str:
        """A layer that every image has that is meant; "" when no condition names one."""
        return next((each.value for each in self.of("layer")), "")

    def wanted(self, base: Sequence[str]) -> Wanted:
        """The conditions on rows; `base`: the layers that images begin with."""
        tagged = [word for word in ("yes", "no") if all(each.holds((word,)) for each in self.of("tagged"))]
        return Wanted(
            visible=self.principal.patterns,
            repositories=self._named("repository"),
            layers=tuple(each.value for each in self.of("layer")),
            base=tuple(base),
            size=self._compared("size") if tagged else (_NOTHING,),
            pushed=self._compared("pushed", "pushed.age"),
            pulled=self._compared("pulled", "pulled.age"),
            tagged=tagged == ["yes"] if len(tagged) == 1 else None,
            tags=self._named("tag"),
            moved=self._compared("tag.age"),
        )

    def _named(self, *facts: str) -> tuple[Named, ...]:
        return tuple((each.operator, each.value) for each in self.of(*facts))

    def _compared(self, *facts: str) -> tuple[Compared, ...]:
        return tuple(self._comparison(each) for each in self.of(*facts))

    def _comparison(self, condition: Condition) -> Compared:
        if FACTS[condition.fact].form is not Form.AGE:
            return condition.operator, condition.number
        return _TURNED[condition.operator], since(condition.number, self.now or time.time())
