"""Caches: bounded, and never a stale answer."""

from registry.caches import AnswerCache, ContentCache
from registry.oci.digest import Digest


def test_content_is_kept_and_found() -> None:
    """Under its digest."""
    cache = ContentCache(1000)
    cache.put(digest := Digest.of(b"x"), b"x")
    assert cache.get(digest) == b"x"
    assert cache.get(Digest.of(b"y")) is None


def test_the_least_recently_used_content_is_forgotten() -> None:
    """When the capacity in bytes is reached."""
    cache = ContentCache(800)
    contents = [bytes([number]) * 100 for number in range(9)]
    for content in contents[:8]:
        cache.put(Digest.of(content), content)
    cache.get(Digest.of(contents[0]))
    cache.put(Digest.of(contents[8]), contents[8])
    assert [cache.get(Digest.of(content)) is not None for content in contents] == [True, False, *[True] * 7]


def test_large_content_is_not_kept() -> None:
    """It would push out too much."""
    cache = ContentCache(800)
    cache.put(digest := Digest.of(b"x" * 101), b"x" * 101)
    assert cache.get(digest) is None


def test_content_that_is_put_twice_counts_once() -> None:
    """The bound is on what is held."""
    cache = ContentCache(80)
    for _ in range(100):
        cache.put(Digest.of(b"x" * 10), b"x" * 10)
    cache.put(Digest.of(b"y" * 10), b"y" * 10)
    assert cache.get(Digest.of(b"x" * 10)) is not None


def test_an_answer_holds_for_its_generation() -> None:
    """Neither for a later nor for an earlier one."""
    cache: AnswerCache[str] = AnswerCache(10)
    cache.put("key", 5, "answer")
    assert [cache.get("key", generation) for generation in (4, 5, 6)] == [None, "answer", None]


def test_a_new_generation_forgets_the_old_answers() -> None:
    """Also when the number comes back."""
    cache: AnswerCache[str] = AnswerCache(10)
    cache.put("old", 5, "answer")
    cache.put("new", 6, "answer")
    assert cache.get("old", 6) is None


def test_answers_are_bounded() -> None:
    """At the capacity all are forgotten."""
    cache: AnswerCache[int] = AnswerCache(3)
    for number in range(4):
        cache.put(number, 1, number)
    assert [cache.get(number, 1) for number in range(4)] == [None, None, None, 3]
