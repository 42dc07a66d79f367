"""Layer inspections and a configuration -> the facts of an image. No byte of a layer is read."""

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

# Not a setting: facts that are only reported are part of the verdict's document, which is the same everywhere.
_REPORTED_AT_MOST = 100
_ENVIRONMENT_AT_MOST = 4096


def compose(
    config: bytes,
    layers: Sequence[LayerInspection | None],
    layer_descriptors: Sequence[Descriptor],
    budgets: ImageBudgets | None = None,
) -> ImageFacts:
    """Compose the facts of an image.

    Args:
        config: the configuration blob, as stored.
        layers: the inspection of each layer, in the manifest's order; `None` for a missing layer.
        layer_descriptors: of the layers, in the manifest.
        budgets: the limits; the defaults when `None`.

    Returns:
        The facts, and problems for those that cannot be known; no facts when a layer could not be read.
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
        result = _composed(complete, parsed, digests, granted)
    except RootUnclear as error:
        return _unread(digests, [Problem(error.reason, str(error))])
    except RecursionError:
        return _unread(digests, [Problem("unclear-root", "hard links lead through too many layers")])
    used = {name for layer in complete for name in layer.detectors}
    return ImageFacts(
        tuple(result.facts), result.absent, tuple(dict.fromkeys(result.problems)), tuple(sorted(used)), digests
    )


@dataclass(slots=True)
class _RootFacts:
    """The facts of one root."""

    facts: list[Fact] = field(default_factory=list)
    absent: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def collect(self, find: Callable[[], Sequence[Fact]]) -> list[Fact]:
        """Add and return the facts that `find` returns; add a problem when it raises `RootUnclear`."""
        try:
            facts = list(find())
        except RootUnclear as error:
            self.problems.append(Problem(error.reason, str(error)))
            return []
        self.facts += facts
        return facts

    def judged(self, subject: str) -> list[tuple[tuple[str, str], ...]]:
        """The judged values of a subject, for comparing two roots: versions, not places."""
        judged = [fact for fact in self.facts if fact.judged and fact.subject == subject]
        return [tuple((name, fact.value[name]) for name in _COMPARED if name in fact.value) for fact in judged]


_COMPARED = ("id", "version", "config_os", "path", "fallback")
_SUBJECTS = ("os", "conda", "python", "base_python", "shell")


def _composed(
    layers: Sequence[LayerInspection], config: ImageConfig, digests: tuple[str, ...], budgets: ImageBudgets
) -> _RootFacts:
    """The facts that all roots and identities agree on; a problem for each subject on which they differ."""
    roots, differences = readings(layers, budgets)
    by_root: list[tuple[_RootFacts, Identity]] = []
    for root in roots:
        as_whom = identities(root, View(root, Identity()), config.user)
        by_root += [(_read(root, config, digests, budgets, identity), identity) for identity in as_whom]
    first = by_root[0][0]
    for subject in _SUBJECTS:
        other = next((item for item in by_root[1:] if item[0].judged(subject) != first.judged(subject)), None)
        if other is None:
            continue
        first.facts = [fact for fact in first.facts if fact.subject != subject]
        first.problems.append(_parted(subject, differences if other[1] == by_root[0][1] else (), config))
    for item, _ in by_root[1:]:
        first.problems += [problem for problem in item.problems if problem not in first.problems]
    return first


def _parted(subject: str, differences: Sequence[Difference], config: ImageConfig) -> Problem:
    name = subject.replace("_", " ")
    if not differences:
        user = config.user[:80]
        why = f"the configuration's User {user!r} gets other groups from containerd than from docker and podman"
    else:
        others = f" (and {len(differences) - 1} more such members)" if len(differences) > 1 else ""
        why = f"{differences[0]}{others}"
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
    problems = []
    for index, (descriptor, layer, diff_id) in enumerate(zip(descriptors, layers, config.diff_ids, strict=True)):
        wrong = _wrong(descriptor, layer, diff_id)
        if wrong is not None:
            reason, message = wrong
            digest = str(descriptor.digest)
            problems.append(Problem(reason, f"layer {index} ({digest[:19]}…): {message}", digest, index))
    return problems


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
) -> _RootFacts:
    image = ImageView(root, config, digests, budgets, identity)
    result = _RootFacts()
    condas = Condas(())

    def judged_condas() -> list[Fact]:
        nonlocal condas
        condas = reached(image)
        return conda(image, condas)

    result.collect(lambda: operating_system(image))
    result.collect(judged_condas)
    pythons = result.collect(lambda: python_on_path(image))
    pythons += result.collect(lambda: [fact for prefix in condas.prefixes for fact in base_python(image, prefix)])
    result.collect(lambda: _shell(image))
    reported = _RootFacts()
    reported.collect(lambda: [] if condas.prefixes else conda_lookalikes(image))
    reported.collect(lambda: other_condas(image, condas.prefixes) + hidden_pythons(image))
    reported.collect(lambda: other_pythons(image, pythons))
    reported.collect(lambda: denials(image, condas.prefixes))
    result.facts += reported.facts[:_REPORTED_AT_MOST] + _environment(config)
    result.problems += reported.problems
    result.absent = image.absent()
    return result


def _shell(image: ImageView) -> list[Fact]:
    node, links = image.view.follow(SHELL)
    if node is None or not image.view.may_execute(node):
        image.missed("shell", SHELL.decode())
        return []
    return [Fact("shell", {"path": "/" + SHELL.decode()}, evidence=(image.seen(node, ""), *image.linked(links)))]


def _environment(config: ImageConfig) -> list[Fact]:
    """The configuration as advice needs it: the User, and a PATH that contains quotation marks."""
    has_marks = any(mark in config.path for mark in "\"'")
    members = {"PATH": config.path if has_marks else "", "User": config.user}
    value = {name: text for name, text in members.items() if 0 < len(text) <= _ENVIRONMENT_AT_MOST}
    return [Fact("environment", value, judged=False)] if value else []
