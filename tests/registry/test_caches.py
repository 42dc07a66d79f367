"""Caches: bounded, and never a stale answer."""

from registry.caches import AnswerCache, ContentCache, SizedCache
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


def test_the_least_recently_used_goes_first() -> None:
    """A value that was asked for stays longer than an older one."""
    cache: SizedCache[str, int] = SizedCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [name for name in "abc" if name in cache] == ["a", "c"]


def test_sizes_count_together() -> None:
    """A large value pushes several out; one that is larger than everything is not kept."""
    cache: SizedCache[str, int] = SizedCache(10)
    for name, size in (("a", 4), ("b", 4), ("c", 9), ("d", 11)):
        cache.put(name, 1, size)
    assert [name for name in "abcd" if name in cache] == ["c"]


def test_a_value_in_the_place_of_another_counts_once() -> None:
    """Its size, not that of both."""
    cache: SizedCache[str, int] = SizedCache(10)
    cache.put("a", 1, 6)
    cache.put("a", 2, 6)
    cache.put("b", 3, 4)
    assert (cache.get("a"), cache.get("b"), len(cache)) == (2, 3, 2)


def test_a_smaller_cache_keeps_what_was_used_last() -> None:
    """From the moment on that it is made smaller."""
    cache: SizedCache[str, int] = SizedCache(3)
    for name in "abc":
        cache.put(name, 1)
    cache.resize(1)
    assert [name for name in "abc" if name in cache] == ["c"]
