"""Flags of `az ml model deploy` that stand for members of the inference configuration, and win over the file's."""

from collections.abc import Callable, Mapping
from typing import Any

import click

_FLAGS = (
    (("--base-image", "--bi"), "baseImage", "The image to start from."),
    (("--base-image-registry", "--ir"), "baseImageRegistry", "Its registry, as an address."),
    (("--entry-script", "--es"), "entryScript", "The script that scores."),
    (("--runtime", "--rt"), "runtime", "Its language."),
    (("--conda-file", "--cf"), "condaFile", "The file of its packages."),
    (("--extra-docker-file-steps", "--ds"), "extraDockerfileSteps", "A file with more lines of the Dockerfile."),
    (("--source-directory", "--sd"), "sourceDirectory", "The folder that goes with it."),
    (("--cuda-version", "--cv"), "cudaVersion", "The version of CUDA."),
)
_GPU = "enableGpu"
OVERRIDES: Mapping[str, str] = {member.lower(): member for member in (*(member for _, member, _ in _FLAGS), _GPU)}
"""By the name of the parameter, the member of the configuration."""


def override_options(command: Callable[..., None]) -> Callable[..., None]:
    """The flags; each is a parameter by the name of its member."""
    command = click.option("--enable-gpu", "--eg", _GPU.lower(), is_flag=True, help="Whether it has a GPU.")(command)
    for names, member, words in reversed(_FLAGS):
        command = click.option(*names, member.lower(), default=None, help=f"{words} Wins over {member} of --ic.")(
            command
        )
    return command


def overridden(document: Mapping[str, Any], flags: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration with what the flags say, which are those of `OVERRIDES`."""
    given = {member: flags[name] for name, member in OVERRIDES.items() if flags[name] not in {None, False}}
    return {**document, **given}
