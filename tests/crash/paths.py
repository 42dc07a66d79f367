"""The write paths of the registry: what is done before, unharmed, and what is done while a fault may come."""

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.oci.digest import Digest
from registry.oci.media_types import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from registry.oci.media_types import OCI_INDEX as INDEX
from tests.crash.acknowledged import NOTHING, Key
from tests.crash.caller import CONFIG, LARGE, SMALL, Caller
from tests.crash.site import Site
from tests.registry.open_services import descriptor


class CommandKilled(Exception):
    """The fault has killed a command beside the server."""


@dataclass(frozen=True)
class WritePath:
    """One way in which the registry writes.

    Attributes:
        name: of it.
        prepare: done before.
        act: done while a fault may come; gets what `prepare` has returned.
    """

    name: str
    prepare: Callable[[Site, Caller], Any]
    act: Callable[[Site, Caller, Any], object]


def _nothing(_site: Site, _caller: Caller) -> None:
    """Nothing comes before."""


def _known_blob(_site: Site, caller: Caller) -> bytes:
    """A blob that an earlier process has taken."""
    known = caller.known.certain("blob", caller.repository)
    if not known:
        return b"lost"
    _, repository, digest = min(known)
    return caller.wire.ask("GET", f"/v2/{repository}/blobs/{digest}").body


def _patched(_site: Site, caller: Caller, content: bytes) -> None:
    opened = caller.ask("POST", "blobs/uploads/")
    half = len(content) // 2
    first = opened and caller.patch(opened, content[:half], 0)
    second = first and caller.patch(first, content[half:-10], half)
    if second:
        caller.finish(second, content[-10:], content)


def _cancelled(_site: Site, caller: Caller, _prepared: None) -> None:
    opened = caller.ask("POST", "blobs/uploads/")
    patched = opened and caller.patch(opened, caller.content(SMALL), 0)
    if patched:
        caller.ask("DELETE", patched.fields["location"])


def _prepared_image(_site: Site, caller: Caller) -> bytes:
    layer = caller.content(SMALL)
    for content in (CONFIG, layer):
        caller.blob(content)
    return caller.document(layer)


def _prepared_referrer(_site: Site, caller: Caller) -> bytes:
    subject = caller.image()
    return caller.document(subject=subject)


def _prepared_move(_site: Site, caller: Caller) -> bytes:
    caller.image("moving")
    return caller.document()


def _prepared_index(_site: Site, caller: Caller) -> bytes:
    return caller.index(caller.image(), caller.image())


def _mounted(_site: Site, caller: Caller, digest: str) -> None:
    source, caller.repository = caller.repository, f"{caller.repository}-mounted"
    caller.mount(digest, source)
    caller.repository = source


def _pushed_whole_image(_site: Site, caller: Caller, _prepared: None) -> None:
    caller.image("whole", LARGE)


def _tagged(_site: Site, caller: Caller) -> str:
    caller.image("doomed")
    return "doomed"


def _manifest_there(_site: Site, caller: Caller) -> str:
    return caller.known.manifest(caller.image("doomed"))


def _garbage(_site: Site, caller: Caller) -> None:
    caller.blob(caller.content(SMALL))
    caller.blob(caller.content(LARGE))
    caller.delete_manifest(caller.known.manifest(caller.image("garbage", LARGE)))


def _archived(site: Site, caller: Caller) -> tuple[Path, dict[Key, str]]:
    """An OCI layout of an image that the registry does not know, as a tar; and what an import of it changes."""
    layers = [caller.content(SMALL), caller.content(LARGE)]
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(CONFIG, OCI_CONFIG),
        "layers": [descriptor(layer, f"{OCI_LAYER}+gzip") for layer in layers],
    }
    raw = json.dumps(document).encode()
    digest = caller.known.manifest(raw)
    index = {"schemaVersion": 2, "manifests": [descriptor(raw, OCI_MANIFEST)]}
    files = {f"blobs/sha256/{Digest.of(content).encoded}": content for content in (CONFIG, *layers, raw)}
    files |= {"oci-layout": b"{}", "index.json": json.dumps(index).encode()}
    place = site.root.parent / f"{digest[7:19]}.tar"
    with tarfile.open(place, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    names = [str(Digest.of(content)) for content in (CONFIG, *layers)]
    changes = {caller.key(name): name for name in names}
    return place, {**changes, caller.key(digest, "manifest"): digest, caller.key("imported", "tag"): digest}


def _imported(site: Site, caller: Caller, archived: tuple[Path, dict[Key, str]]) -> None:
    place, changes = archived
    site.known.begin(changes)
    if command(site, "import", str(place), f"{caller.repository}:imported", "--wait", "0") == 0:
        site.known.done(changes)


def command(site: Site, *arguments: str) -> int:
    """A command beside the server, to its end. Raises CommandKilled."""
    code = site.run(*arguments)
    if code < 0:
        raise CommandKilled
    if "Traceback" in site.said:
        site.found.other.append(f"{' '.join(arguments)} ended in a traceback: {site.said[-600:]}")
    return code


def collect(site: Site) -> int:
    """Garbage collection."""
    with site.known.collecting():
        return command(site, "gc", "run", "--config", str(site.settings))


def _expired(_site: Site, caller: Caller) -> dict[Key, str]:
    """An image that no rule of the settings keeps; and what a run changes."""
    digest = caller.known.manifest(caller.image("expired"))
    return {caller.key("expired", "tag"): NOTHING, caller.key(digest, "manifest"): NOTHING}


def _retained(site: Site, _caller: Caller, changes: dict[Key, str]) -> None:
    site.known.begin(changes)
    if command(site, "retention", "run", "--yes", "--config", str(site.settings)) == 0:
        site.known.done(changes)


def scrub(site: Site) -> int:
    """A pass over all content."""
    return command(site, "scrub", "--anew", "--rate", "0")


def back_up(site: Site) -> int:
    """Into the same folder every time."""
    return command(site, "backup", str(site.root / "backup"))


def _principal(site: Site, name: str) -> str:
    site.known.begin({("principal", "", name): "enabled"})
    if command(site, "principal", "create", name, "--role", "AcrPush", "--json"):
        return ""
    secret = _first_secret(site.said)
    site.known.done({("principal", "", name): "enabled", ("secret", name, secret): secret})
    return secret


def _first_secret(said: str) -> str:
    """Of what a command has printed with --json; a warning may stand behind it."""
    document, _ = json.JSONDecoder().raw_decode(said)
    return str(document["secrets"][0]["value"])


def _rotated(site: Site, _caller: Caller, named: tuple[str, str]) -> None:
    name, secret = named
    site.known.begin({("secret", name, secret): NOTHING})
    if command(site, "principal", "rotate", name, "--secret", "password1", "--json") == 0:
        fresh = _first_secret(site.said)
        site.known.done({("secret", name, secret): NOTHING, ("secret", name, fresh): fresh})


def _changed(verb: str, value: str) -> Callable[[Site, Caller, tuple[str, str]], None]:
    def act(site: Site, _caller: Caller, named: tuple[str, str]) -> None:
        name, secret = named
        changes = {("principal", "", name): value, ("secret", name, secret): NOTHING}
        site.known.begin(changes)
        if command(site, "principal", verb, name, *(["--yes"] if verb == "delete" else [])) == 0:
            site.known.done(changes)

    return act


def _named(site: Site, caller: Caller) -> tuple[str, str]:
    name = f"principal-{sum(kind == 'principal' for kind, _, _ in site.known.allowed)}"
    return name, _principal(site, name)


def _created(site: Site, caller: Caller, _prepared: None) -> None:
    _principal(site, f"principal-{sum(kind == 'principal' for kind, _, _ in site.known.allowed)}")


PATHS = (
    WritePath("POST, PUT of a small blob", lambda _s, c: c.content(SMALL), lambda _s, c, x: c.blob(x)),
    WritePath("POST, PUT of a large blob", lambda _s, c: c.content(LARGE), lambda _s, c, x: c.blob(x)),
    WritePath("POST, PATCH, PUT of a small blob", lambda _s, c: c.content(SMALL), _patched),
    WritePath("POST, PATCH, PUT of a large blob", lambda _s, c: c.content(LARGE), _patched),
    WritePath("POST of a whole blob", lambda _s, c: c.content(SMALL), lambda _s, c, x: c.whole(x)),
    WritePath("POST, PATCH, DELETE", _nothing, _cancelled),
    WritePath("POST, PUT of a blob that is there", _known_blob, lambda _s, c, x: c.blob(x)),
    WritePath("mount", lambda _s, c: c.blob(c.content(SMALL)), _mounted),
    WritePath("manifest", _prepared_image, lambda _s, c, x: c.manifest(x)),
    WritePath("manifest under a tag", _prepared_image, lambda _s, c, x: c.manifest(x, "new")),
    WritePath("manifest with a subject", _prepared_referrer, lambda _s, c, x: c.manifest(x)),
    WritePath("index", _prepared_index, lambda _s, c, x: c.manifest(x, "index", INDEX)),
    WritePath("tag move", _prepared_move, lambda _s, c, x: c.manifest(x, "moving")),
    WritePath("whole image", _nothing, _pushed_whole_image),
    WritePath("tag delete", _tagged, lambda _s, c, x: c.delete_tag(x)),
    WritePath("manifest delete", _manifest_there, lambda _s, c, x: c.delete_manifest(x)),
    WritePath("blob delete", lambda _s, c: c.blob(c.content(SMALL)), lambda _s, c, x: c.delete_blob(x)),
    WritePath("collection", _garbage, lambda s, _c, _x: collect(s)),
    WritePath("retention", _expired, _retained),
    WritePath("scrub", _nothing, lambda s, _c, _x: scrub(s)),
    WritePath("backup", lambda _s, c: c.image("backed"), lambda s, _c, _x: back_up(s)),
    WritePath("import", _archived, _imported),
    WritePath("principal create", _nothing, _created),
    WritePath("principal rotate", _named, _rotated),
    WritePath("principal disable", _named, _changed("disable", "disabled")),
    WritePath("principal delete", _named, _changed("delete", NOTHING)),
)
