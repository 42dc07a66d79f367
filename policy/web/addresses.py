"""Addresses of pages: `/r/NAME`, `/r/NAME:TAG`, `/r/NAME@DIGEST`; with `.json` behind it, the same as JSON.

A name may itself end in `.json`. So exactly one ending is taken off, and a page of such a name ends in `.html`.
"""

from dataclasses import dataclass
from urllib.parse import quote

from registry.oci.digest import Digest
from registry.oci.names import Reference, RepositoryName, Tag

JSON, HTML = ".json", ".html"


@dataclass(frozen=True, slots=True)
class PagePath:
    """What an address names: a repository, or one image in it."""

    repository: RepositoryName
    reference: Reference | None = None


def without_ending(path: str) -> tuple[str, bool]:
    """The path without its ending, and whether JSON is asked for."""
    for ending in (JSON, HTML):
        if path.endswith(ending):
            return path.removesuffix(ending), ending == JSON
    return path, False


def page_path_of(text: str) -> PagePath:
    """What a path below `/r/` names, its ending taken off.

    Raises:
        NameInvalid, TagInvalid, DigestInvalid: it breaks the grammar of one of them.
    """
    name, at, digest = text.partition("@")
    if at:
        return PagePath(RepositoryName.parse(name), Digest.parse(digest))
    name, colon, tag = text.partition(":")
    return PagePath(RepositoryName.parse(name), Tag.parse(tag) if colon else None)


def address(repository: str, reference: str = "", room: str = "r") -> str:
    """The page of a repository, or of an image in it, by tag or digest."""
    mark = "" if not reference else "@" if ":" in reference else ":"
    return with_ending(f"/{room}/{quote(repository)}{mark}{quote(reference, safe=':')}")


def with_ending(path: str) -> str:
    """The path, with `.html` behind it where it would be taken for something else."""
    return path + HTML if path.endswith((JSON, HTML)) else path


def json_address(path: str) -> str:
    """Where the page at this path is to be had as JSON."""
    if path == "/":
        return "/index.json"
    bare, is_json = without_ending(path)
    return path if is_json else bare + JSON
