"""Events reach a sink over kills: the short form of `make events`."""

from tests.crash.event_sinks import trial


def test_no_event_is_lost_or_out_of_order() -> None:
    """Two thousand events, whoever tells is killed five times; a dead sink before that costs no memory."""
    assert trial(2000, 5, dead_seconds=1.0) == []
