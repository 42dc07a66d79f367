"""`az acr build` as it is typed, with a builder that really builds, and the runs that it leaves."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.clients.azure.az import REGISTRY, Az, Cloud
from tests.clients.program import Outcome

pytestmark = [pytest.mark.root, pytest.mark.client("buildah", "busybox"), pytest.mark.xdist_group("azure-cli")]
DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
ARG WORD=none
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox echo word-$WORD"]
"""
BUILD = ("acr", "build", "--registry", REGISTRY, "--file", "Dockerfile")


@pytest.fixture
def here(az: Az) -> Az:
    """An az that stands in such a folder."""
    return prepare(az)


def prepare(az: Az) -> Az:
    """Give the folder that an az stands in a Dockerfile and a base to copy."""
    (az.home / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (az.home / ".dockerignore").write_text("azure\n", encoding="utf-8")
    shutil.copy(shutil.which("busybox") or "", az.home / "busybox")
    return az


def last_line(done: Outcome) -> str:
    """What a build ends with."""
    return done.output.strip().splitlines()[-1]


def test_the_command_of_the_document(here: Az) -> None:
    """It builds, pushes, gives the verdict, and ends with its sentence."""
    done = here.run(
        "acr", "build", "--image", "myimage:v1", "--registry", REGISTRY, "--file", "Dockerfile", "."
    ).check()
    assert re.fullmatch(r"Run ID: c\w+ was successful after \d+s", last_line(done))
    assert re.search(r"^denied: myimage:v1@sha256:[0-9a-f]{64}", done.output, re.MULTILINE)
    tags = here.run("acr", "manifest", "show", "--registry", REGISTRY, "--name", "myimage:v1", "--only-show-errors")
    assert json.loads(tags.check().output)["schemaVersion"] == 2


def test_a_build_that_fails(here: Az) -> None:
    """az says so, with exit code 1."""
    (here.home / "Dockerfile").write_text("FROM scratch\nCOPY missing /x\n", encoding="utf-8")
    done = here.run(*BUILD, "--image", "team/bad:v1", ".")
    assert done.code == 1
    assert "Run failed" in done.output
    assert re.search(r"Run ID: c\w+ failed after \d+s\. Error: failed during run, err: exit status", done.output)


def test_arguments(here: Az) -> None:
    """`--build-arg` reaches the build; `--secret-build-arg` too, and stays out of the log."""
    assert "word-shown" in here.run(*BUILD, "--no-push", "--build-arg", "WORD=shown", ".").check().output
    assert "word-***" in here.run(*BUILD, "--no-push", "--secret-build-arg", "WORD=hidden", ".").check().output


def test_runs_are_listed_and_their_logs_shown(here: Az) -> None:
    """`az acr task list-runs` and `logs`."""
    run = here.run(*BUILD, "--image", "team/listed:{{.Run.ID}}", ".").check()
    name = last_line(run).split()[2]
    shown = here.run("acr", "task", "list-runs", "--registry", REGISTRY, "--only-show-errors", "-o", "json").check()
    assert name in [each["runId"] for each in json.loads(shown.output)]
    assert last_line(run) in here.run("acr", "task", "logs", "--registry", REGISTRY, "--run-id", name).check().output


def test_options_of_a_build(here: Az) -> None:
    """Several names, a stage, a platform and a time; az asks for the run itself where it shows no log."""
    (here.home / "Dockerfile").write_text(
        f"{DOCKERFILE}FROM scratch\nCOPY missing /x\n".replace("scratch", "scratch AS first", 1)
    )
    names = ("--image", "team/one:v1", "--image", "team/two")
    more = ("--target", "first", "--platform", "linux/amd64", "--timeout", "300", "--no-logs", "--only-show-errors")
    run = json.loads(here.run(*BUILD, *names, *more, "--output", "json", ".").check().output)
    assert (run["status"], run["runType"]) == ("Succeeded", "QuickBuild")
    assert [(each["repository"], each["tag"]) for each in run["outputImages"]] == [
        ("team/one", "v1"),
        ("team/two", "latest"),
    ]


def test_a_build_is_canceled(here: Az) -> None:
    """`--no-wait`, `az acr task cancel-run`, and what its log says then."""
    (here.home / "Dockerfile").write_text(DOCKERFILE.replace("echo word-$WORD", "sleep 600"))
    began = here.run(*BUILD, "--no-push", "--no-wait", ".").check()
    run = re.search(r"Queued a build with ID: (c\w+)", began.output)
    assert run is not None
    where = ("--registry", REGISTRY, "--run-id", run[1])
    here.run("acr", "task", "cancel-run", *where).check()
    shown = here.run("acr", "task", "logs", *where).check()  # az ends well: it was asked for the log only
    assert last_line(shown).endswith("Error: it was canceled")


def test_a_context_that_is_an_address(here: Az) -> None:
    """There is no internet in a lab."""
    done = here.run(*BUILD, "--image", "team/x:v1", "https://github.com/x/y.git")
    assert not done.ok
    assert "OperationNotSupported" in done.output


def test_nobody_builds_what_it_may_not_push(cloud: Cloud, here: Az, home: Path) -> None:
    """The refusal says which role is needed."""
    pusher = cloud.signed_in(home, cloud.pusher)
    for name in ("Dockerfile", "busybox"):
        shutil.copy(here.home / name, home / name)
    done = pusher.run(*BUILD, "--image", "other/app:v1", ".")
    assert not done.ok
    assert "may not push to other/app" in done.output
