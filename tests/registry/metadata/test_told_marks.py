"""What was told of manifests is written with its event, once, on each engine."""

from registry.metadata import events, told_marks
from registry.metadata.events import Event
from registry.metadata.told_marks import News, ToldMark
from registry.oci.names import Tag
from tests.registry.open_services import REPOSITORY, OpenServices

SET = "verdict.set"


def mark_of(services: OpenServices) -> ToldMark:
    """Of the only manifest."""
    (mark,) = services.run(services.metadata.read(told_marks.page, 0, 10))
    return mark


def tell(services: OpenServices, mark: ToldMark, words: str) -> int:
    """Tell something of it."""
    news = News(mark, words, "a policy", Event(SET, REPOSITORY, mark.digest))
    return services.run(services.metadata.write(told_marks.tell, 5.0, [news]))


def told(services: OpenServices) -> int:
    """How many events there are of it."""
    found = services.run(services.metadata.read(events.after, 0, 100))
    return len([each for each in found if each.event.kind == SET])


def test_what_is_told_is_written_down(services: OpenServices) -> None:
    """The first time and the next, each with its event."""
    services.run(services.push_image(Tag("v1")))
    seen = []
    for words in ("cleared", "refused"):
        assert tell(services, mark_of(services), words) == 1
        seen.append((mark_of(services).words, mark_of(services).basis, told(services)))
    assert seen == [("cleared", "a policy", 1), ("refused", "a policy", 2)]


def test_what_another_has_told_meanwhile_is_not_told(services: OpenServices) -> None:
    """By what was read before that."""
    services.run(services.push_image(Tag("v1")))
    before = mark_of(services)
    assert [tell(services, before, "cleared"), tell(services, before, "cleared")] == [1, 0]
    assert told(services) == 1


def test_what_was_pushed_is_found_by_its_event(services: OpenServices) -> None:
    """Once, however many events there are of it."""
    services.run(services.push_image(Tag("v1")))
    services.run(services.push_image(Tag("v2")))
    _, newest = services.run(services.metadata.read(events.ends))
    concerned = services.run(services.metadata.read(told_marks.concerned, 0, newest))
    assert [each.row for each in concerned] == [mark_of(services).row]
