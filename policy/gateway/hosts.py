"""Whether an image reference names this registry."""

from collections.abc import Collection

from registry.oci.image_reference import is_loopback, split_port


def is_ours(host: str, asked_under: str, own_names: Collection[str]) -> bool:
    """Whether `host` is this registry.

    Args:
        host: of the reference, `HOST[:PORT]`.
        asked_under: the Host header of the request.
        own_names: further names from the settings.

    A loopback name counts when the request came in under a loopback name with the same port. The dot of the root and
    the port of HTTPS change nothing of what a name means.
    """
    if _plain(host) in {_plain(name) for name in (asked_under, *own_names)}:
        return True
    both_loopback = is_loopback(host) and is_loopback(asked_under)
    return both_loopback and split_port(host)[1] == split_port(asked_under)[1]


def _plain(host: str) -> str:
    name, port = split_port(host.lower())
    bare = name.removesuffix(".")
    return bare if port in {None, "", 443, "443"} else f"{bare}:{port}"
