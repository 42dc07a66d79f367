"""Layer inspections + configuration -> the facts of an image. No layer byte is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from policy.inspection.budgets import ImageBudgets
from policy.inspection.detectors import DETECTORS, names
from policy.inspection.facts import Evidence, Fact, ImageFacts, Problem
from policy.inspection.image.accounts import identities
from policy.inspection.image.ambiguous_links import Difference, readings
from policy.inspection.image.conda import Condas, conda, other_condas, reached
from policy.inspection.image.conda_lookalikes import conda_lookalikes
from policy.inspection.image.config import ConfigUnreadable, ImageConfig, parse_config
from policy.inspection.image.denials import denials
from policy.inspection.image.merged_root import MergedRoot, RootUnclear
from policy.inspection.image.operating_system import operating_system
from policy.inspection.image.process_root import View
from policy.inspection.image.python import base_python, hidden_pythons, other_pythons, python_on_path
from policy.inspection.image.view import SHELL, ImageView
from policy.inspection.layer.named_table import unlike_table
from policy.inspection.layer.permissions import Identity
from policy.inspection.layer.report import LayerInspection
from registry.oci.descriptor import Descriptor
from registry.oci.media_types import IMAGE_LAYERS

# Not a setting: facts that nobody judges are part of the verdict's document, which is the same everywhere.
_REPORTED_AT_MOST = 100
_TOLD_AT_MOST = 4096


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
        Its facts, and the problems of what could not be told; no facts at all when a layer could not be read.
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
        found = _composed(complete, parsed, digests, granted)
    except RootUnclear as error:
        return _unread(digests, [Problem(error.reason, str(error))])
    except RecursionError:
        return _unread(digests, [Problem("unclear-root", "hard links lead through too many layers")])
    used = {name for layer in complete for name in layer.detectors}
    return ImageFacts(
        tuple(found.facts), found.absent, tuple(dict.fromkeys(found.problems)), tuple(sorted(used)), digests
    )


@dataclass(slots=True)
class _Found:
    """What one look at one root says, subject by subject."""

    facts: list[Fact] = field(default_factory=list)
    absent: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def told(self, ask: Callable[[], Sequence[Fact]]) -> list[Fact]:
        """The facts of a subject; a problem instead where they cannot be told."""
        try:
            facts = list(ask())
        except RootUnclear as error:
            self.problems.append(Problem(error.reason, str(error)))
            return []
        self.facts += facts
        return facts

    def judged(self, subject: str) -> list[tuple[tuple[str, str], ...]]:
        """What rules look at, for comparing two readings: versions, not the places they were found at."""
        judged = [fact for fact in self.facts if fact.judged and fact.subject == subject]
        return [tuple((name, fact.value[name]) for name in _COMPARED if name in fact.value) for fact in judged]


_COMPARED = ("id", "version", "config_os", "path", "fallback")
_SUBJECTS = ("os", "conda", "python", "base_python", "shell")


def _composed(
    layers: Sequence[LayerInspection], config: ImageConfig, digests: tuple[str, ...], budgets: ImageBudgets
) -> _Found:
    """What every reading of the image agrees on; where they do not, a problem in the place of the facts."""
    roots, differences = readings(layers)
    found: list[tuple[_Found, Identity]] = []
    for root in roots:
        as_whom = identities(root, View(root, Identity()), config.user)
        found += [(_read(root, config, digests, budgets, identity), identity) for identity in as_whom]
    first = found[0][0]
    for subject in _SUBJECTS:
        other = next((item for item in found[1:] if item[0].judged(subject) != first.judged(subject)), None)
        if other is None:
            continue
        first.facts = [fact for fact in first.facts if fact.subject != subject]
        first.problems.append(_parted(subject, differences if other[1] == found[0][1] else (), config))
    for item, _ in found[1:]:
        first.problems += [problem for problem in item.problems if problem not in first.problems]
    return first


def _parted(subject: str, differences: Sequence[Difference], config: ImageConfig) -> Problem:
    name = subject.replace("_", " ")
    if not differences:
        user = config.user[:80]
        why = f"the configuration's User {user!r} gets other groups from containerd than from docker and podman"
    else:
        more = f" (and {len(differences) - 1} more such members)" if len(differences) > 1 else ""
        why = f"{differences[0]}{more}"
    return Problem("two-readings", f"runtimes show another {name} each: {why}")


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
    return unlike_table(descriptor, layer)


def _read(
    root: MergedRoot, config: ImageConfig, digests: tuple[str, ...], budgets: ImageBudgets, identity: Identity
) -> _Found:
    look = ImageView(root, config, digests, budgets, identity)
    found = _Found()
    condas = Condas(())

    def judged_condas() -> list[Fact]:
        nonlocal condas
        condas = reached(look)
        return conda(look, condas)

    found.told(lambda: operating_system(look))
    found.told(judged_condas)
    pythons = found.told(lambda: python_on_path(look))
    pythons += found.told(lambda: [fact for prefix in condas.prefixes for fact in base_python(look, prefix)])
    found.told(lambda: _shell(look))
    aside = _Found()
    aside.told(lambda: [] if condas.prefixes else conda_lookalikes(look))
    aside.told(lambda: other_condas(look, condas.prefixes) + hidden_pythons(look))
    aside.told(lambda: other_pythons(look, pythons))
    aside.told(lambda: denials(look, condas.prefixes))
    found.facts += aside.facts[:_REPORTED_AT_MOST] + _environment(config)
    found.problems += aside.problems
    found.absent = look.absent()
    return found


def _shell(look: ImageView) -> list[Fact]:
    node, links = look.view.follow(SHELL)
    if node is None or not look.view.may_execute(node):
        look.missed("shell", SHELL.decode())
        return []
    return [Fact("shell", {"path": "/" + SHELL.decode()}, evidence=(look.seen(node, ""), *look.linked(links)))]


def _environment(config: ImageConfig) -> list[Fact]:
    """What who changes the image must know of its configuration: the User, and a PATH with quotation marks in it."""
    has_marks = any(mark in config.path for mark in "\"'")
    said = {"PATH": config.path if has_marks else "", "User": config.user}
    value = {name: text for name, text in said.items() if 0 < len(text) <= _TOLD_AT_MOST}
    return [Fact("environment", value, judged=False)] if value else []
