"""Members of a configuration in any spelling.

azureml-core and its command line read `docker.baseImage` and pass over `docker.BaseImage` and `docker.base_image`
without a word (1.61.0); a reader that takes no notice of case starts the image that is named there. So all are found.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from policy.gateway.inference_config.remarks import Remark, warn

Path = tuple[str, ...]
Found = tuple[Path, Any]

_PYTHON = ("interpreterPath", "userManagedDependencies", "condaDependencies", "baseCondaEnvironment")
_DOCKER = ("baseImage", "baseDockerfile", "buildContext", "baseImageRegistry", "platform", "arguments")
_IN_ENVIRONMENT: Mapping[Path, Sequence[str]] = {
    (): ("docker", "python", "environmentVariables"),
    ("docker",): _DOCKER,
    ("docker", "platform"): ("os", "architecture"),
    ("docker", "baseImageRegistry"): ("address", "username", "password"),
    ("python",): _PYTHON,
}
_OF_VERSION_2 = frozenset({"environment_variables"})
PLAIN_KEYS = (
    "entryScript",
    "runtime",
    "condaFile",
    "extraDockerfileSteps",
    "sourceDirectory",
    "enableGpu",
    "baseImage",
    "baseImageRegistry",
    "cudaVersion",
    "environment",
)
_IMAGES = ("image", "build")
_DEEPEST = 4


def plain_name(name: object) -> str:
    """A member's name without what spellings differ in."""
    return str(name).lower().replace("_", "").replace("-", "")


_KNOWN = frozenset(map(plain_name, chain(PLAIN_KEYS, _IMAGES, *_IN_ENVIRONMENT.values())))
_SECTIONS = frozenset(map(plain_name, ("environment", "docker", "python", "platform", "baseImageRegistry")))


def known_members(document: Mapping[str, Any], deep: int = 1) -> dict[str, Any]:
    """The members that may matter, in any spelling, and below sections those of them: one pass over a large file."""
    known = ((name, plain_name(name), value) for name, value in document.items())
    return {
        name: known_members(value, deep + 1)
        if plain in _SECTIONS and isinstance(value, Mapping) and deep < _DEEPEST
        else value
        for name, plain, value in known
        if plain in _KNOWN
    }


def spelt_alike(document: Any, place: Sequence[str], above: Path = ()) -> Iterator[Found]:
    """Path and value of the members at a place, whatever their spelling; the usual one first."""
    if not place:
        yield above, document
    elif isinstance(document, Mapping):
        first, *rest = place
        alike = [name for name in document if plain_name(name) == plain_name(first)]
        for name in sorted(alike, key=lambda name: name != first):
            yield from spelt_alike(document[name], rest, (*above, name))


def misspelt(document: Any, names: Sequence[str], above: Path = ()) -> Iterator[Remark]:
    """A warning for each set member whose name differs from one of `names` by its spelling only."""
    known = {plain_name(name): name for name in names}
    for name, value in document.items() if isinstance(document, Mapping) else ():
        wanted = known.get(plain_name(name), name)
        if name != wanted and name not in _OF_VERSION_2 and value is not None:
            yield warn(f"{dotted((*above, name))} is ignored by the service: it reads {dotted((*above, wanted))}")


def misspelt_in_environment(environment: Any, above: Path = ()) -> Iterator[Remark]:
    """The same for an environment as azureml-core serialises it, and its sections in any spelling."""
    for section, names in _IN_ENVIRONMENT.items():
        for path, members in spelt_alike(environment, section):
            yield from misspelt(members, names, (*above, *path))


def dotted(path: Sequence[object]) -> str:
    """A path as messages name it."""
    return ".".join(str(name)[:80] for name in path)
