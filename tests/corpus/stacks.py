"""Images whose facts depend on how layers are put together: whiteouts, opaque directories, links, replacements."""

from tests.corpus.builders import (
    Image,
    Layer,
    as_json,
    config_document,
    image,
    layer,
)
from tests.corpus.case import (
    Case,
    cleared,
    good,
    refused,
    unclear,
    with_layers,
)
from tests.corpus.systems import (
    PREFIX,
    conda_record,
    miniconda,
    os_release,
    python_record,
    ubuntu,
)
from tests.corpus.tarballs import (
    Entry,
    device,
    file,
    folder,
    hard_link,
    link,
    opaque,
    whiteout,
)

META = f"{PREFIX}/conda-meta"
DIRECTORIES = ("include", "include/python3.6m")
RECORD = f"{META}/conda-4.5.12-py36_0.json"
RELEASE = "usr/lib/os-release"
DEBIAN = os_release("debian", "10.1")
NONE: tuple[str, ...] = ()
UNKNOWN = ("?",)


def merged_usr(*top: Entry) -> Image:
    """/lib is a link to usr/lib; the next layer has members below lib without naming it."""
    return image([*good(), link("lib", "usr/lib")], list(top))


def mismatched(layers: tuple[Layer, ...], **changes: object) -> Image:
    """An image whose configuration names other diff_ids."""
    document = config_document(layers)
    document["rootfs"] = {"type": "layers", **changes}
    return image(*layers, config=as_json(document))


def two() -> tuple[Layer, Layer]:
    """Two layers of a good image."""
    return layer(*ubuntu()), layer(*miniconda())


def swapped() -> Image:
    """The configuration lists the diff_ids in another order."""
    first, second = two()
    return mismatched((first, second), diff_ids=[second.diff_id, first.diff_id])


def same_layer_thrice() -> Image:
    """One layer several times."""
    one = layer(*good())
    return image(one, one, one)


def wrong_size() -> Image:
    """The manifest claims another size."""
    made = image(*two())
    return Image(made.layers, made.config, sizes={1: 17})


def missing_blob() -> Image:
    """A layer is not here."""
    made = image(*two())
    return Image(made.layers, made.config, missing=frozenset({0}))


DELETED: list[Case] = [
    refused("record deleted", lambda: with_layers([whiteout(RECORD)]), conda=UNKNOWN),
    refused("conda-meta deleted", lambda: with_layers([whiteout(META)]), conda=UNKNOWN, python=("3.6.8",)),
    refused("prefix deleted", lambda: with_layers([whiteout(PREFIX)]), conda=NONE, python=NONE),
    refused("opt deleted", lambda: with_layers([whiteout("opt")]), conda=NONE, python=NONE),
    refused(
        "os-release's target deleted, no lsb-release",
        lambda: with_layers([whiteout(RELEASE), whiteout("etc/lsb-release")]),
        os=None,
    ),
    cleared("os-release's target deleted, lsb-release left", lambda: with_layers([whiteout(RELEASE)])),
    cleared("deleted and brought back", lambda: with_layers([whiteout(PREFIX)], miniconda())),
    cleared("deleted and brought back in one layer", lambda: with_layers([whiteout(PREFIX), *miniconda()])),
    unclear(
        "brought back before its whiteout in one layer",
        lambda: with_layers([*miniconda(), whiteout(PREFIX)]),
        "a whiteout stands after",
    ),
    unclear("a whiteout after a file", lambda: with_layers([file("a/b"), whiteout("a/b")]), "a whiteout stands after"),
    cleared("whiteout of a sibling", lambda: with_layers([whiteout(f"{META}/conda-4")])),
    cleared("whiteout of nothing that is there", lambda: with_layers([whiteout("opt/other"), whiteout("x/y/z")])),
    cleared("whiteout in the oldest layer", lambda: image([whiteout(PREFIX), *good()])),
    refused(
        "whiteout that is a directory",
        lambda: with_layers([folder(f"{META}/.wh.conda-4.5.12-py36_0.json")]),
        conda=UNKNOWN,
    ),
    refused("whiteout that is a link", lambda: with_layers([link("opt/.wh.miniconda", "x")]), conda=NONE, python=NONE),
    refused("whiteout that is a device", lambda: with_layers([device("opt/.wh.miniconda")]), conda=NONE, python=NONE),
    refused("whiteout with a body", lambda: with_layers([file("opt/.wh.miniconda", "text")]), conda=NONE, python=NONE),
    refused("device in place of a record", lambda: with_layers([device(RECORD)]), conda=UNKNOWN),
    refused("fifo in place of a record", lambda: with_layers([device(RECORD, "6")]), conda=UNKNOWN),
    cleared(
        "aufs's own files",
        lambda: with_layers(
            [folder(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"), file(".wh..wh.aufs"), folder(".wh..wh.orph")]
        ),
    ),
    cleared(
        "a name that only looks like a whiteout", lambda: with_layers([file("opt/x.wh.miniconda"), file("opt/.wh")])
    ),
]

OPAQUE: list[Case] = [
    refused("opaque conda-meta", lambda: with_layers([opaque(META)]), conda=UNKNOWN),
    refused("opaque prefix", lambda: with_layers([opaque(PREFIX)]), conda=NONE, python=NONE),
    unclear("opaque root", lambda: with_layers([opaque("")]), "overlay file systems"),
    cleared("opaque root of the lowest layer", lambda: image([opaque(""), *good()])),
    unclear("opaque root over another prefix", lambda: image(miniconda("4.3.0", "3.7.1"), [opaque(""), *good()])),
    cleared("opaque prefix filled anew", lambda: with_layers([opaque(PREFIX), *miniconda()])),
    cleared(
        "opaque after its new children",
        lambda: with_layers([*(folder(f"{PREFIX}/{name}") for name in DIRECTORIES), *miniconda(), opaque(PREFIX)]),
    ),
    cleared("opaque after a new record", lambda: with_layers([conda_record(), python_record(), opaque(META)])),
    cleared("opaque elsewhere", lambda: with_layers([opaque("usr/bin"), opaque("var")])),
    cleared("opaque in the oldest layer", lambda: image([opaque(PREFIX), *good()])),
    refused(
        "not quite opaque", lambda: with_layers([file("opt/.wh..wh..opq"), file("opt/x")]), conda=NONE, python=NONE
    ),
    cleared("a longer name than opaque", lambda: with_layers([file("opt/not.a.wh..wh..opq")])),
]

REPLACED: list[Case] = [
    refused("prefix replaced by a file", lambda: with_layers([file(PREFIX, "x")]), conda=NONE, python=NONE),
    refused("prefix replaced by a link", lambda: with_layers([link(PREFIX, "/nowhere")]), conda=NONE, python=NONE),
    refused(
        "prefix replaced and made a directory again",
        lambda: with_layers([file(PREFIX)], [folder(PREFIX)]),
        conda=NONE,
        python=NONE,
    ),
    unclear("the same in one layer", lambda: with_layers([file(PREFIX), folder(PREFIX)]), "stands twice"),
    unclear(
        "children, a file in place of their parent, and a directory again",
        lambda: image(ubuntu(), [*miniconda(), file(PREFIX), folder(PREFIX), folder(META)]),
        "stands twice",
    ),
    cleared(
        "prefix moved, a link in its place",
        lambda: with_layers([whiteout(PREFIX), link(PREFIX, "conda3"), *miniconda(prefix="opt/conda3")]),
    ),
    cleared("directory named again", lambda: with_layers([folder("opt"), folder(PREFIX), folder(META)])),
    refused("record replaced by a directory", lambda: with_layers([folder(RECORD)]), conda=UNKNOWN),
    refused("record replaced by a link to nothing", lambda: with_layers([link(RECORD, "gone.json")]), conda=UNKNOWN),
    unclear("a file twice in one layer", lambda: image([*good(), file(RELEASE, DEBIAN)]), "stands twice"),
    unclear("a directory twice in one layer", lambda: image([*good(), folder("x"), folder("./x")]), "stands twice"),
    unclear("a link twice in one layer", lambda: image([*good(), link("x", "y"), link("x", "y")]), "stands twice"),
    cleared("a newer layer wins", lambda: image([file(RELEASE, DEBIAN)], good())),
    refused(
        "children, then a file in place of their parent",
        lambda: image(ubuntu(), [*(item for item in miniconda() if item.kind != "5"), file(PREFIX, "x")]),
        conda=NONE,
        python=NONE,
    ),
    cleared(
        "children, then a link in place of their parent, then new ones behind it",
        lambda: image(ubuntu(), [file(f"{PREFIX}/x"), link(PREFIX, "c"), *miniconda(prefix="opt/c")]),
    ),
    cleared("the same layer three times", same_layer_thrice),
]

LINKED: list[Case] = [
    cleared(
        "a directory link within one layer",
        lambda: image(
            ubuntu(),
            [folder("data"), link("opt", "data"), *miniconda(prefix="opt/miniconda")[1:]],
            path="/opt/miniconda/bin",
        ),
    ),
    cleared(
        "absolute link",
        lambda: image([file("data/release", os_release()), link("etc/os-release", "/data/release"), *miniconda()]),
    ),
    cleared(
        "link with .. beyond the root",
        lambda: image(
            [file("data/release", os_release()), link("etc/os-release", "../../../../../data/release"), *miniconda()]
        ),
    ),
    cleared(
        "a chain of links",
        lambda: image(
            good(), [link("etc/os-release", "a"), link("etc/a", "/etc/b"), link("etc/b", "../usr/lib/os-release")]
        ),
    ),
    cleared(
        "links in a circle fall through to usr/lib",
        lambda: with_layers([link("etc/os-release", "x"), link("etc/x", "os-release")]),
    ),
    cleared("a dangling link falls through to usr/lib", lambda: with_layers([link("etc/os-release", "gone")])),
    cleared("a link to a directory falls through", lambda: with_layers([link("etc/os-release", "/usr")])),
    cleared(
        "a chain of forty links",
        lambda: with_layers(
            [
                link("etc/os-release", "l0"),
                *(link(f"etc/l{n}", f"l{n + 1}") for n in range(38)),
                link("etc/l38", "/usr/lib/os-release"),
            ]
        ),
    ),
    refused(
        "os-release by a link to a file without any version",
        lambda: with_layers([file("weird/file", "NAME=x\n"), link("etc/os-release", "/weird/file")]),
        os="? ?",
    ),
    refused(
        "os-release by a link to another system's file",
        lambda: with_layers([file("weird/file", DEBIAN), link("etc/os-release", "/weird/file")]),
        os="debian 10.1",
    ),
    refused(
        "os-release by a link to a file that was replaced in its own layer by another name",
        lambda: with_layers(
            [
                *(file("weird/file", os_release()), link("other", "weird")),
                *(file("other/file", "x"), link("etc/os-release", "/weird/file")),
            ]
        ),
        os="? ?",
    ),
    unclear(
        "os-release by a link to a large file that nobody read",
        lambda: with_layers([file("weird/file", "#" * 9000 + DEBIAN), link("etc/os-release", "/weird/file")]),
        "were not kept",
    ),
    unclear(
        "a record by a link to a file that nobody read",
        lambda: with_layers([file("weird/file", "{}"), link(f"{META}/conda-9-0.json", "/weird/file")]),
        "were not kept",
    ),
    cleared(
        "a record by a link to another record",
        lambda: with_layers(
            [
                file("data/conda-4.6.1-0.json", str(conda_record("4.6.1", "0").body, "utf-8")),
                link(f"{META}/conda-4.6.1-0.json", "/data/conda-4.6.1-0.json"),
            ]
        ),
        conda=("4.5.12", "4.6.1"),
    ),
    cleared(
        "a hard link within a layer",
        lambda: image(
            [*(item for item in ubuntu() if item.path != "etc/os-release"), hard_link("etc/os-release", RELEASE)],
            miniconda(),
        ),
    ),
    cleared("a hard link to an older layer", lambda: with_layers([hard_link("etc/os-release", RELEASE)])),
    cleared("a hard link to /usr and ./usr", lambda: with_layers([hard_link("etc/os-release", f"/./{RELEASE}")])),
    cleared(
        "a hard link whose target comes later",
        lambda: image([hard_link("etc/os-release", "etc/a"), file("etc/a", os_release()), *miniconda()]),
    ),
    cleared(
        "a hard link keeps what its target was",
        lambda: image(
            [
                *(file("etc/a", os_release()), hard_link("etc/os-release", "etc/a"), link("e", "etc")),
                *(file("e/a", DEBIAN), *miniconda()),
            ]
        ),
    ),
    cleared(
        "a hard link outlives its target",
        lambda: with_layers([hard_link("etc/os-release", RELEASE)], [whiteout(RELEASE)]),
    ),
    cleared("a hard link to a link", lambda: image([*good(), hard_link("etc/release", "etc/os-release")])),
    unclear("a hard link to nothing", lambda: with_layers([hard_link("etc/os-release", "etc/gone")]), "hard link"),
    refused(
        "a hard link replaces",
        lambda: with_layers([file("x", DEBIAN), whiteout("etc/os-release"), hard_link("etc/os-release", "x")]),
        os="debian 10.1",
    ),
]

THROUGH_LINKS: list[Case] = [
    cleared("members below an older layer's link that do not matter", lambda: merged_usr(file("lib/x.so", "x"))),
    unclear(
        "members below an older layer's link that decide",
        lambda: merged_usr(file("lib/os-release", DEBIAN)),
        "follow the link",
    ),
    refused(
        "a directory in place of a link",
        lambda: image(
            good(),
            [link("lib", "usr/lib"), link("etc/os-release", "/lib/os-release")],
            [folder("lib"), file("lib/os-release", DEBIAN)],
        ),
        os="debian 10.1",
    ),
    unclear(
        "a whiteout below an older layer's link",
        lambda: merged_usr(whiteout("lib/os-release"), whiteout("etc/lsb-release")),
        "follow the link",
    ),
    unclear(
        "an opaque mark below an older layer's link",
        lambda: merged_usr(opaque("lib"), whiteout("etc/lsb-release")),
        "follow the link",
    ),
    cleared(
        "conda installed below a link, found either way",
        lambda: image(
            [*ubuntu(), folder("data"), link("srv", "data")],
            [e for e in miniconda(prefix="srv/c") if e.kind != "5"],
            path="/srv/c/bin",
        ),
    ),
    unclear(
        "two members that meet behind a link", lambda: merged_usr(file("lib/a", "1"), file("usr/lib/a", "2")), "land at"
    ),
    unclear(
        "members behind a link that goes in a circle",
        lambda: image([*good(), link("a", "b"), link("b", "a")], [file("a/x")]),
        "circle",
    ),
    unclear("a link that is used and then replaced", lambda: merged_usr(file("lib/x"), folder("lib")), "afterwards"),
]

MANIFESTS: list[Case] = [
    unclear("diff_ids in another order", swapped, "the configuration says"),
    unclear("a diff_id too few", lambda: mismatched(two(), diff_ids=[two()[0].diff_id]), "2 layers"),
    unclear("no diff_ids", lambda: mismatched(two(), diff_ids=[]), "2 layers"),
    unclear("no layers", image, "0 layers"),
    unclear("a layer's size is wrong", wrong_size, "the manifest says 17"),
    unclear("a layer is missing", missing_blob, "not in this registry"),
    unclear(
        "a layer of an unknown type",
        lambda: image(Layer(layer(*good()).blob, "application/x", "sha256:0")),
        "media type",
    ),
]

CASES: list[Case] = [*DELETED, *OPAQUE, *REPLACED, *LINKED, *THROUGH_LINKS, *MANIFESTS]
