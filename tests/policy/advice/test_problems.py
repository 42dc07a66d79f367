"""Advice on images that could not be judged: every reason has some, and done to the image it clears it."""

import ast
from collections.abc import Callable
from dataclasses import replace

import pytest

from policy.advice.problems import REASONS, change_for
from policy.assessment.verdict import judge_image
from policy.inspection.facts import Problem
from policy.state import State
from registry.oci.digest import Digest
from tests.architecture.source import modules
from tests.corpus.builders import (
    Image,
    Layer,
    as_json,
    config_document,
    image,
    layer,
)
from tests.corpus.case import good
from tests.corpus.tarballs import (
    Entry,
    file,
    folder,
    pax,
    pax_record,
    whiteout,
)
from tests.policy.advice.making import DEFAULT, advice

FINE = layer(file("srv/app", "x"))
_RAISED = {"LayerRefused", "RootUnclear", "Problem", "clash", "unclear"}


def on_top(*entries: Entry) -> Image:
    """A good image with a layer of these members on it."""
    return image(good(), list(entries))


def overlay_attribute() -> Image:
    """A directory marked as an overlay file system would."""
    return on_top(pax(pax_record(b"SCHILY.xattr.trusted.overlay.opaque", b"y")), folder("srv"))


def misnamed() -> Image:
    """A layer under a type of no layer."""
    return image(good(), replace(FINE, media_type="application/vnd.example.layer"))


def foreign_content() -> Image:
    """A configuration that belongs to another layer."""
    return image(good(), replace(FINE, diff_id="sha256:" + "0" * 64))


def bare_path() -> Image:
    """A PATH without a value, which runtimes read differently."""
    made = layer(*good())
    return image(made, config=as_json(config_document([made], config={"Env": ["PATH"]})))


UNREADABLE: dict[str, tuple[Callable[[], Image], str]] = {
    "damaged-layer": (lambda: on_top(Entry("x", checksum=b"000000\0 ")), "rebuild"),
    "hostile-name": (lambda: on_top(file("../x")), "rebuild"),
    "path-twice": (lambda: on_top(file("srv/x"), folder("srv/x")), "rebuild"),
    "whiteout-order": (lambda: on_top(file("srv/x"), whiteout("srv/x")), "rebuild"),
    "overlay-attribute": (overlay_attribute, "rebuild"),
    "unsupported-layer": (lambda: image(good(), Layer(b"BZh91AY&SY", FINE.media_type, FINE.diff_id)), "rebuild"),
    "unknown-layer-type": (misnamed, "rebuild"),
    "missing-layer": (lambda: replace(image(good(), FINE), missing=frozenset({1})), "push"),
    "size-mismatch": (lambda: replace(image(good(), FINE), sizes={1: 1}), "push"),
    "diff-id-mismatch": (foreign_content, "configure"),
    "layers-disagree": (lambda: replace(image(good(), FINE), layers=(layer(*good()),)), "configure"),
    "unreadable-config": (lambda: image(good(), config=b"{"), "configure"),
    "unclear-path": (bare_path, "configure"),
}


def mended(broken: Image, about: dict[str, str]) -> Image:
    """What is named is made anew: the layer, the configuration, or everything."""
    first = broken.layers[0]
    return image(first, FINE) if about.get("layer") == "1" else image(first)


def problems_of(made: Image) -> set[str]:
    """Why an image could not be judged."""
    return {problem.reason for problem in made.facts().problems}


@pytest.mark.parametrize("reason", UNREADABLE)
def test_advice_clears_what_could_not_be_judged(reason: str) -> None:
    """One change, of the kind that the reason calls for, and with it the image is cleared."""
    build, kind = UNREADABLE[reason]
    broken = build()
    verdict = judge_image(Digest.of(broken.manifest()), broken.facts(), DEFAULT)
    (change,) = advice(verdict)
    assert (problems_of(broken), verdict.state, change.action.value) == ({reason}, State.INCONCLUSIVE, kind)
    anew = mended(broken, dict(change.about))
    assert judge_image("sha256:1", anew.facts(), DEFAULT).state is State.CLEARED


def test_the_layer_at_fault_is_named() -> None:
    """By its place and digest."""
    broken = on_top(file("../x"))
    change = change_for(broken.facts().problems[0])
    assert (change.about["layer"], change.about["digest"]) == ("1", broken.layers[1].digest)
    assert change.words.startswith("make layer 1 anew")


def reasons_in_the_source() -> set[str]:
    """Every text that a problem's reason is made of."""
    found = set()
    for module in modules("policy"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _name(node) in _RAISED:
                said = [item.value for item in node.args if isinstance(item, ast.Constant)]
                found |= {value for value in said if isinstance(value, str) and _is_reason(value)}
    return found


def _name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _is_reason(value: str) -> bool:
    return "-" in value and value.replace("-", "").isalpha()


def test_every_reason_has_advice() -> None:
    """A new reason without advice is noticed here."""
    found = reasons_in_the_source()
    assert len(found) > 10
    assert found <= REASONS


def test_a_reason_nobody_knows_has_advice_too() -> None:
    """Facts may have been made by another version of this program."""
    assert change_for(Problem("unheard-of", "x")).words.startswith("make the layer at fault anew")
