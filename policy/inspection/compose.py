"""Layer inspections + configuration -> the facts of an image. No layer byte is read."""

from collections.abc import Sequence

from policy.facts import Evidence, Fact, ImageFacts, Problem
from policy.inspection.budgets import ImageBudgets
from policy.inspection.conda import conda, other_condas, reached
from policy.inspection.conda_lookalikes import conda_lookalikes
from policy.inspection.detectors import DETECTORS, names
from policy.inspection.image_config import ConfigUnreadable, ImageConfig, parse_config
from policy.inspection.layer_inspection import LayerInspection
from policy.inspection.look import Look
from policy.inspection.operating_system import operating_system
from policy.inspection.python import hidden_pythons, other_pythons, python_of_prefix, python_on_path
from policy.inspection.readings import roots
from policy.inspection.root import Root, RootUnclear
from registry.oci.descriptor import Descriptor
from registry.oci.media_types import IMAGE_LAYERS

SHELL = b"bin/sh"
# Not a setting: facts that nobody judges are part of the verdict's document, which is the same everywhere.
_REPORTED_AT_MOST = 100


def compose(
    config: bytes,
    layers: Sequence[LayerInspection | None],
    layer_descriptors: Sequence[Descriptor],
    budgets: ImageBudgets | None = None,
) -> ImageFacts:
    """Look into an image.

    Args:
        config: the configuration blob, as stored.
        layers: what is known of each layer, in the manifest's order; `None` for one that is not here.
        layer_descriptors: the manifest's layers.
        budgets: what it may cost; the defaults when `None`.

    Returns:
        Its facts; when any part could not be read, the problems and no facts at all.
    """
    digests = tuple(str(descriptor.digest) for descriptor in layer_descriptors)
    granted = budgets or ImageBudgets()
    try:
        parsed = parse_config(config, granted.variable_length)
    except ConfigUnreadable as error:
        return _unread(digests, [Problem("unreadable-config", str(error))])
    complete = [layer for layer in layers if layer is not None and layer.problem is None]
    problems = _problems(parsed, layers, layer_descriptors)
    if problems:
        return _unread(digests, problems)
    try:
        readings = [_read(root, parsed, digests, granted) for root in roots(complete)]
    except RootUnclear as error:
        return _unread(digests, [Problem("unclear-root", str(error))])
    except RecursionError:
        return _unread(digests, [Problem("unclear-root", "hard links lead through too many layers")])
    if len({_judged(facts) for facts, _ in readings}) > 1:
        return _unread(digests, [Problem("unclear-root", _TWO_READINGS)])
    facts, absent = readings[0]
    used = {name for layer in complete for name in layer.detectors}
    return ImageFacts(facts, absent, (), tuple(sorted(used)), digests)


_TWO_READINGS = (
    "a layer has members below what is a link in an older layer: tools that follow the link and tools that replace it "
    "start different images, and what is judged differs between them"
)


def _unread(digests: tuple[str, ...], problems: Sequence[Problem]) -> ImageFacts:
    return ImageFacts(problems=tuple(problems), detectors=names(DETECTORS), layers=digests)


def _problems(
    config: ImageConfig, layers: Sequence[LayerInspection | None], descriptors: Sequence[Descriptor]
) -> list[Problem]:
    counts = {len(config.diff_ids), len(layers), len(descriptors)}
    if len(counts) > 1 or 0 in counts:
        message = f"the manifest lists {len(descriptors)} layers and the configuration {len(config.diff_ids)} diff_ids"
        return [Problem("layers-disagree", f"{message}: needs as many of one as of the other, and at least one")]
    found = []
    for index, (descriptor, layer, diff_id) in enumerate(zip(descriptors, layers, config.diff_ids, strict=True)):
        wrong = _wrong(descriptor, layer, diff_id)
        if wrong is not None:
            reason, message = wrong
            digest = str(descriptor.digest)
            found.append(Problem(reason, f"layer {index} ({digest[:19]}…): {message}", digest, index))
    return found


def _wrong(descriptor: Descriptor, layer: LayerInspection | None, diff_id: str) -> tuple[str, str] | None:
    if descriptor.media_type not in IMAGE_LAYERS:
        return "unknown-layer-type", f"its media type {descriptor.media_type[:128]!r} is none of an image layer"
    if layer is None:
        return "missing-layer", "its bytes are not in this registry, so that nobody can look into it"
    if layer.problem is not None:
        return layer.problem.reason, layer.problem.message
    if layer.compressed != descriptor.size:
        return "size-mismatch", f"it has {layer.compressed} bytes, the manifest says {descriptor.size}"
    if layer.diff_id != diff_id:
        return "diff-id-mismatch", f"its content is {layer.diff_id}, the configuration says {diff_id[:80]}"
    return None


def _read(
    root: Root, config: ImageConfig, digests: tuple[str, ...], budgets: ImageBudgets
) -> tuple[tuple[Fact, ...], dict[str, tuple[Evidence, ...]]]:
    look = Look(root, config, digests, budgets)
    prefixes = reached(look)
    judged = [*operating_system(look), *conda(look, prefixes)]
    pythons = [fact for prefix in prefixes for fact in python_of_prefix(look, prefix)]
    judged += pythons if prefixes else python_on_path(look)
    judged += _shell(look)
    aside = [] if prefixes else conda_lookalikes(look)
    aside += other_condas(look, prefixes) + hidden_pythons(look)
    if prefixes:
        aside += other_pythons(look, pythons)
    return (*judged, *aside[:_REPORTED_AT_MOST]), look.absent()


def _shell(look: Look) -> list[Fact]:
    node, links = look.root.follow(SHELL)
    if node is None or not node.is_executable:
        look.missed("shell", SHELL.decode())
        return []
    return [Fact("shell", {"path": "/" + SHELL.decode()}, evidence=(look.seen(node, ""), *look.linked(links)))]


def _judged(facts: tuple[Fact, ...]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """What rules look at, for comparing two readings: versions, not the places they were found at."""
    judged = [fact for fact in facts if fact.judged]
    return tuple((fact.subject, tuple(sorted({**fact.value, "prefix": ""}.items()))) for fact in judged)
