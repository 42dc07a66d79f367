"""Any order of pushes, mounts, tags, deletes, collections, kills and power cuts, against a model."""

import contextlib
from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from registry.oci.digest import Digest
from tests.crash.caller import CONFIG, Caller
from tests.crash.laboratory import Laboratory
from tests.crash.paths import collect
from tests.crash.power import Loss
from tests.crash.site import Site

REPOSITORIES = st.sampled_from(["crash/app", "crash/other"])
CONTENTS = st.sampled_from([b"small" * 10, b"middle" * 500, b"large" * 20_000])
TAGS = st.sampled_from(["v1", "v2"])


class CrashMachine(RuleBasedStateMachine):
    """The model is `Acknowledged`: what every blob, manifest and tag may be. Its server is killed again and again."""

    open_site: ClassVar[Callable[[], contextlib.AbstractContextManager[Site]]]

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()
        self.callers: dict[str, Caller] = {}

    @initialize()
    def begin(self) -> None:
        """A folder with one image."""
        self.site = self._stack.enter_context(type(self).open_site())
        self.start()

    def start(self) -> None:
        """Start the server, and have its disk watched."""
        self.site.watch_disk()
        self.site.start()
        self.callers = {name: self.site.caller(name) for name in ("crash/app", "crash/other")}

    def teardown(self) -> None:
        """A last look, and an orderly end."""
        if self.callers:
            self.crash()
            assert self.site.stop() == 0
            assert self.site.run("verify", "--digests") == 0, self.site.said
        self._stack.close()

    @rule(repository=REPOSITORIES, content=CONTENTS)
    def push_blob(self, repository: str, content: bytes) -> None:
        """POST and PUT."""
        self.callers[repository].blob(content)
        self.is_content(repository)

    @rule(repository=REPOSITORIES, content=CONTENTS, tag=TAGS | st.just(""))
    def push_image(self, repository: str, content: bytes, tag: str) -> None:
        """All of it."""
        caller = self.callers[repository]
        caller.blob(CONFIG)
        caller.blob(content)
        caller.manifest(caller.document(content), tag)
        self.is_content(repository)

    @rule(content=CONTENTS)
    def mount(self, content: bytes) -> None:
        """From one repository to the other; where nothing is to be mounted, a session is opened."""
        self.callers["crash/other"].mount(str(Digest.of(content)), "crash/app")
        self.is_content("crash/other")

    @rule(repository=REPOSITORIES, tag=TAGS)
    def move_tag(self, repository: str, tag: str) -> None:
        """To an image without layers."""
        caller = self.callers[repository]
        caller.blob(CONFIG)
        caller.manifest(caller.document(), tag)
        self.is_content(repository)

    @rule(repository=REPOSITORIES, kind=st.sampled_from(["tag", "manifest"]), place=st.integers(0, 5))
    def delete(self, repository: str, kind: str, place: int) -> None:
        """A tag or a manifest that is there."""
        caller = self.callers[repository]
        found = sorted(caller.known.certain(kind, repository))
        if found:
            remove = caller.delete_tag if kind == "tag" else caller.delete_manifest
            remove(found[place % len(found)][2])
        self.is_content(repository)

    @rule()
    def collect(self) -> None:
        """Without mercy for the young."""
        assert collect(self.site) == 0, self.site.said

    @rule()
    def crash(self) -> None:
        """SIGKILL, and everything is asked for."""
        self.site.kill()
        self.start()
        self.look()

    @rule(loss=st.sampled_from(Loss), seed=st.integers(0, 1000))
    def cut_power(self, loss: Loss, seed: int) -> None:
        """As well, and what was not synced is lost."""
        self.site.kill()
        self.site.cut_power(loss, seed)
        self.start()
        self.look()

    def look(self) -> None:
        """All is as the model says."""
        self.site.check()
        assert self.site.found.all == []

    def is_content(self, repository: str) -> None:
        """Nothing was refused."""
        assert self.callers[repository].refusals == []


@pytest.mark.xdist_group("crash")
def test_any_order_is_survived(laboratory: Laboratory) -> None:
    """A few histories of some steps each."""

    class Machine(CrashMachine):
        """In folders of this laboratory."""

        open_site = staticmethod(laboratory.site)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=5, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
