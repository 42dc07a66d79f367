"""Objects of Kubernetes made by Hypothesis, each with the places where it names images.

The shapes are those of the nine kinds that hold a PodSpec, with maps whose names are the user's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
IMAGES = st.sampled_from(["nginx", "h.example/a/b:v1", "h.example:5000/c@sha256:" + "0" * 64, "x~y/z"])
FREE = st.dictionaries(
    st.sampled_from(["image", "containers", "reference", "a/b", "é"]), st.text(max_size=3), max_size=3
)


@dataclass(frozen=True, slots=True)
class Made:
    """An object, and its images by JSON Pointer."""

    document: Json
    places: Mapping[str, str]

    def under(self, *path: str) -> "Made":
        """The same as the member at the end of a path."""
        document = self.document
        for name in reversed(path):
            document = {name: document}
        return Made(document, {f"/{'/'.join(path)}{pointer}": image for pointer, image in self.places.items()})

    def beside(self, **more: Any) -> "Made":
        """With members that name no image."""
        return Made(more | self.document, self.places)


def containers(name: str) -> st.SearchStrategy[Made]:
    """A list of containers; one in a few has no image."""
    resources = st.fixed_dictionaries({}, optional={"limits": FREE, "requests": FREE})
    one: st.SearchStrategy[Json] = st.fixed_dictionaries(
        {"name": st.just("c")},
        optional={"image": IMAGES | st.just(""), "imagePullPolicy": st.just("Always"), "resources": resources},
    )

    def listed(made: list[Json]) -> Made:
        named = {f"/{name}/{at}/image": each.get("image", "") for at, each in enumerate(made)}
        return Made({name: made}, {pointer: image for pointer, image in named.items() if image})

    return st.lists(one, max_size=3).map(listed)


def volumes() -> st.SearchStrategy[Made]:
    """Volumes of images, and of others."""
    disk: Json = {"rbd": {"image": "disk", "monitors": ["m"]}}
    others = st.sampled_from([disk, {"emptyDir": {}}, {"configMap": {"name": "image"}}])
    options: st.SearchStrategy[Json] = FREE.map(lambda free: {"flexVolume": {"driver": "d", "options": free}})
    claims: st.SearchStrategy[Json] = FREE.map(
        lambda free: {"ephemeral": {"volumeClaimTemplate": {"spec": {"resources": {"requests": free}}}}}
    )
    certificates: st.SearchStrategy[Json] = FREE.map(
        lambda free: {"projected": {"sources": [{"podCertificate": {"userAnnotations": free}}]}}
    )
    attributes: st.SearchStrategy[Json] = FREE.map(
        lambda free: {"csi": {"driver": "d", "volumeAttributes": {f"x-{name}": text for name, text in free.items()}}}
    )
    mounted: st.SearchStrategy[Json] = IMAGES.map(
        lambda text: {"csi": {"driver": "d", "volumeAttributes": {"image": text}}}
    )
    image: st.SearchStrategy[Json] = (IMAGES | st.just("")).map(lambda text: {"image": {"reference": text}})

    def listed(made: list[Json]) -> Made:
        named = {f"/volumes/{at}/image/reference": each.get("image", {}) for at, each in enumerate(made)}
        places = {at: each["reference"] for at, each in named.items() if each.get("reference")}
        for at, each in enumerate(made):
            text = each.get("csi", {}).get("volumeAttributes", {}).get("image")
            places |= {f"/volumes/{at}/csi/volumeAttributes/image": text} if text else {}
        return Made({"volumes": made}, places)

    return st.lists(image | others | options | attributes | mounted | claims | certificates, max_size=4).map(listed)


def pod_spec() -> st.SearchStrategy[Made]:
    """Containers of three kinds, volumes, and free maps."""
    parts = (containers("containers"), containers("initContainers"), containers("ephemeralContainers"), volumes())

    def joined(made: tuple[tuple[Made, ...], Json, Json]) -> Made:
        several, selector, overhead = made
        document: Json = {"nodeSelector": selector, "overhead": overhead, "imagePullSecrets": [{"name": "image"}]}
        places: dict[str, str] = {}
        for each in several:
            document |= each.document
            places |= each.places
        return Made(document, places)

    return st.tuples(st.tuples(*parts), FREE, FREE).map(joined)


def template() -> st.SearchStrategy[Made]:
    """A PodTemplateSpec."""
    return st.tuples(pod_spec(), FREE).map(
        lambda made: made[0].under("spec").beside(metadata={"labels": made[1], "annotations": made[1]})
    )


def workload(kind: str, *path: str, inner: st.SearchStrategy[Made] | None = None) -> st.SearchStrategy[Made]:
    """A kind whose template is at the end of a path."""
    status = {"status": {"containerStatuses": [{"image": "running", "imageID": "i"}]}}
    return st.tuples(template() if inner is None else inner, FREE).map(
        lambda made: made[0].under(*path).beside(kind=kind, metadata={"labels": made[1], "name": "image"}, **status)
    )


def _selected(kind: str) -> st.SearchStrategy[Made]:
    """One with a selector beside its template."""
    spec = st.tuples(template(), FREE).map(
        lambda made: made[0].under("template").beside(selector={"matchLabels": made[1]}, replicas=1)
    )
    return workload(kind, "spec", inner=spec)


WORKLOADS: Mapping[str, st.SearchStrategy[Made]] = {
    "Pod": workload("Pod", "spec", inner=pod_spec()),
    "PodTemplate": workload("PodTemplate", "template"),
    "ReplicationController": workload("ReplicationController", "spec", "template"),
    "ReplicaSet": _selected("ReplicaSet"),
    "Deployment": _selected("Deployment"),
    "StatefulSet": _selected("StatefulSet"),
    "DaemonSet": _selected("DaemonSet"),
    "Job": workload("Job", "spec", "template"),
    "CronJob": workload("CronJob", "spec", "jobTemplate", "spec", "template"),
}
