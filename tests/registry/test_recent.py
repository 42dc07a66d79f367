"""A bounded memory of recent answers."""

from registry.caches import Recent


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_least_used_goes_first() -> None:
    """A full memory drops what was not asked for longest."""
    recent: Recent[str, int] = Recent(2, 60)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_answers_end() -> None:
    """An answer is not believed past its time."""
    clock = Clock()
    recent: Recent[str, int] = Recent(2, 60, clock)
    recent.put("a", 1)
    clock.now = 59.9
    assert recent.get("a") == 1
    clock.now = 60.0
    assert recent.get("a") is None


def test_size_is_bounded() -> None:
    """However much is put in, memory holds no more than was allowed."""
    recent: Recent[int, int] = Recent(10, 60)
    for number in range(1000):
        recent.put(number, number)
    assert len(recent) == 10


def test_forget_and_clear() -> None:
    """One answer or all can be dropped."""
    recent: Recent[str, int] = Recent(10, 60)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.forget("a")
    assert (recent.get("a"), recent.get("b")) == (None, 2)
    recent.clear()
    assert recent.get("b") is None
