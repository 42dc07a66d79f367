"""Commands to copy: each fetches or asks about exactly what the page shows."""

import shlex
from collections.abc import Sequence

from registry.oci.names import RepositoryName

Commands = Sequence[tuple[str, str]]


def commands_of(  # noqa: PLR0913
    host: str, repository: RepositoryName, reference: str, digest: str, user: str, *, is_plain: bool, is_image: bool
) -> Commands:
    """Who it is for, and the line.

    Args:
        host: HOST:PORT of the registry.
        repository: its name.
        reference: tag or digest of the page.
        digest: what it stands for now.
        user: the name of the caller.
        is_plain: whether the registry is reached over plain HTTP here.
        is_image: whether it is an image or an index of images; anything else is fetched with oras.
    """
    exact = f"{host}/{repository}@{digest}"
    named = exact if ":" in reference else f"{host}/{repository}:{reference}"
    ask = ("ask", f"basegate check {named}")
    if not is_image:
        return (("oras", f"oras pull {'--plain-http ' if is_plain else ''}{named}"), ask)
    lines = [
        ("docker", f"docker pull {named}"),
        ("podman", f"podman pull {'--tls-verify=false ' if is_plain else ''}{named}"),
        ("containerd", f"ctr image pull {'--plain-http ' if is_plain else ''}--user {shlex.quote(user)} {named}"),
        ("crane", f"crane pull {'--insecure ' if is_plain else ''}{named} image.tar"),
    ]
    if named != exact:
        lines.append(("by digest", f"docker pull {exact}"))
    return (*lines, ("Azure ML", f'env.docker.base_image = "{named}"'), ask)


def note_of(*, is_plain: bool, is_image: bool, is_index: bool) -> str:
    """What whoever copies them has to know."""
    if not is_image:
        return "This is no image: docker and podman cannot run it."
    notes = ["The clients ask for the secret that you sign in with, or take what docker login has stored."]
    if is_index:
        notes.append("This is an index: each client takes the image of its own platform, ctr with --platform.")
    if is_plain:
        notes.append("Docker reaches plain HTTP on this machine only, or where insecure-registries names the address.")
    return " ".join(notes)
