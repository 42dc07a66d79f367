"""Advice on an image that could not be judged: one row per reason of a problem."""

from collections.abc import Callable, Mapping

from policy.inspection.facts import Problem
from policy.rules.change import Action, Change

_AGAIN = "basegate inspect REPOSITORY:TAG --again"


def _layer(problem: Problem) -> str:
    """`layer 3`, or `the layer at fault` when the problem names none."""
    return f"layer {problem.index}" if problem.index >= 0 else "the layer at fault"


def _about(problem: Problem) -> dict[str, str]:
    members = {
        "layer": str(problem.index) if problem.index >= 0 else "",
        "digest": problem.layer,
        "without": problem.path,
    }
    return {name: text for name, text in members.items() if text}


def _rebuild(how: str) -> Callable[[Problem], Change]:
    """Rebuild the layer."""

    def made(problem: Problem) -> Change:
        return Change(Action.REBUILD, f"make {_layer(problem)} anew {how}", (), _about(problem))

    return made


def _configure(words: str, member: str, *lines: str) -> Callable[[Problem], Change]:
    """Rewrite the configuration."""
    return lambda _: Change(Action.CONFIGURE, words, lines, {"member": member})


def _push(words: str) -> Callable[[Problem], Change]:
    """Push what is missing."""
    return lambda problem: Change(Action.PUSH, words.format(layer=_layer(problem)), (), _about(problem))


def _limit(words: str, setting: str) -> Callable[[Problem], Change]:
    return lambda problem: Change(Action.LIMIT, words.format(layer=_layer(problem)), (), {"setting": setting})


_SQUASHED = "from its unpacked files (docker build, or buildah commit --squash)"
_TABLE: Mapping[str, Callable[[Problem], Change]] = {
    "damaged-layer": _rebuild("and push the image again: what was pushed is damaged, or was made by a broken tool"),
    "hostile-name": _rebuild("with member names that stay inside the image, each a name that a file system takes"),
    "unsupported-layer": _rebuild("as a tar archive, plain or compressed by gzip or zstd (docker and buildah do)"),
    "unknown-layer-type": _rebuild("with a media type of image layers (docker build, or skopeo copy --format oci)"),
    "encrypted-layer": _push(
        "push the image decrypted (skopeo copy --decryption-key): what is encrypted cannot be judged"
    ),
    "overlay-attribute": _rebuild(
        "without extended attributes of overlay file systems: archive the merged file system, not an upper directory"
    ),
    "path-twice": _rebuild(f"{_SQUASHED}, so that each path stands in it once"),
    "whiteout-order": _rebuild(f"{_SQUASHED}, so that each deletion stands before what it makes room for"),
    "two-readings": _rebuild(
        "so that runtimes agree on it: name every directory in it that is no link, and do not delete a path "
        "and make it anew in one layer"
    ),
    "contents-table": _rebuild("without its table of contents: push with --compression-format gzip or zstd"),
    "unclear-root": _rebuild("so that the image's files can be told, without links or members beyond the limits"),
    "unclear-link": _configure("replace the links by what they lead to: COPY the file itself", "link"),
    "unclear-python": _configure(
        "let PATH reach a Python under its own name, such as python3.6, or install Conda's", "python"
    ),
    "unclear-conda": _configure("let PATH reach the conda of one installation, bin/conda of its prefix", "conda"),
    "unclear-os": _configure("let /etc/os-release be the base image's own file, or a link to it", "os-release"),
    "unclear-path": _configure(
        "set PATH once, to absolute directories of the image", "PATH", "ENV PATH=/opt/miniconda/bin:/usr/bin:/bin"
    ),
    "runtime-path": _configure(
        "let PATH and links lead to files of the image, not below /proc, /sys or /dev, nor to what the runtime writes",
        "PATH",
    ),
    "unclear-user": _configure(
        "set USER to a number, or to a name that /etc/passwd of the image has once, and let it read what PATH reaches",
        "User",
    ),
    "unreadable-config": _configure(
        "write the configuration anew with the tool that built the image (docker build; crane config shows it)",
        "config",
    ),
    "layers-disagree": _configure("build the image again: its configuration belongs to other layers", "diff_ids"),
    "diff-id-mismatch": _configure("build the image again: its configuration belongs to other layers", "diff_ids"),
    "size-mismatch": _push("push the image again: its manifest gives another size than {layer} has"),
    "missing-layer": _push(
        "push {layer} with the image (docker push does; foreign layers need --allow-nondistributable)"
    ),
    "missing-content": _push("push the image again: content that it names is not there"),
    "missing-config": _push("push the image again: its configuration is not there"),
    "missing-manifest": _push("push the missing manifest, or the index without it"),
    "unreadable-manifest": _push("push the image again: its manifest cannot be read"),
    "nested-index": _push("push an index of images, not of indexes"),
    "unclear-kind": _push("push it as an image or as an artifact, not as something of both"),
    "budget": _limit("make {layer} smaller, or raise the limit that is named", "policy.inspection.budgets"),
    "inspection-failed": lambda problem: Change(
        Action.LOOK, f"let the image be looked into again: {_AGAIN}", (), _about(problem)
    ),
}
REASONS = frozenset(_TABLE)
_UNKNOWN = _rebuild(f"{_SQUASHED}, and push the image again")


def change_for(problem: Problem) -> Change:
    """The change that removes a problem."""
    return _TABLE.get(problem.reason, _UNKNOWN)(problem)
