"""Members that have another Python started than the one by which the image was judged."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy.gateway.inference_config.members import dotted, spelt_alike
from policy.gateway.inference_config.remarks import Remark, unsure

_ABOVE = ((), ("environment",))
_SETS_PATH = re.compile(r"(?:-e|--env=)?PATH(?:=|$)|--env-file(?:=|$)")


def remarks_on_python(document: Mapping[str, Any]) -> Iterator[Remark]:
    """A remark on each; `document` has the `known_members`, whose names count in any spelling."""
    for above in _ABOVE:
        yield from _variables(document, above)
        yield from _python(document, above)
        yield from _arguments(document, above)


def _arguments(document: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[Remark]:
    """Words for `docker run`."""
    for path, arguments in spelt_alike(document, (*above, "docker", "arguments")):
        words = arguments if isinstance(arguments, list) else [arguments]
        if any(isinstance(word, str) and _SETS_PATH.match(word) for word in words):
            yield _own_path(path)


def _variables(document: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[Remark]:
    """Variables of a container that replace the image's PATH, by which its programs were found."""
    for path, variables in spelt_alike(document, (*above, "environmentVariables")):
        if isinstance(variables, Mapping) and "PATH" in variables:
            yield _own_path(path)


def _own_path(path: tuple[str, ...]) -> Remark:
    return unsure(f"{dotted(path)} sets PATH: the image was judged by its own, so set it there (ENV PATH=…)")


def _python(document: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[Remark]:
    """azureml-core: `interpreterPath` counts for user-managed dependencies, `baseCondaEnvironment` for the others."""
    for path, python in spelt_alike(document, (*above, "python")):
        managed = any(value for _, value in spelt_alike(python, ("userManagedDependencies",)))
        name, usual = ("interpreterPath", "python") if managed else ("baseCondaEnvironment", "")
        for member, value in spelt_alike(python, (name,)):
            if value not in (None, "", usual):
                needed = f'leave it at "{usual}"' if usual else "leave it out"
                yield unsure(
                    f"{dotted((*path, *member))} is {value!r:.200}: the image was judged by the Python on its PATH: "
                    f"{needed}, and put the Python that is meant first there (ENV PATH=…)"
                )
