"""Media types of manifests, configurations and layers (image-spec media-types.md; Docker image manifest v2.2)."""

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

IMAGE_MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = IMAGE_MANIFESTS | INDEXES
SCHEMA1 = frozenset({DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED})
_EVERY_MANIFEST = MANIFESTS | SCHEMA1
IMAGE_CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})

OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
_OCI_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar"

FOREIGN_LAYERS = frozenset(
    {_OCI_FOREIGN, f"{_OCI_FOREIGN}+gzip", f"{_OCI_FOREIGN}+zstd", _DOCKER_FOREIGN, f"{_DOCKER_FOREIGN}.gzip"}
)
IMAGE_LAYERS = FOREIGN_LAYERS | {
    OCI_LAYER,
    f"{OCI_LAYER}+gzip",
    f"{OCI_LAYER}+zstd",
    _DOCKER_LAYER,
    f"{_DOCKER_LAYER}.gzip",
    f"{_DOCKER_LAYER}.zstd",
}

_IMAGE_LAYER_FAMILIES = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
# docker accepts configurations and layers of types with these prefixes, and the generic types of old clients.
_DOCKERS_FAMILIES = ("application/vnd.oci.image", "application/vnd.docker")
_SAY_NOTHING = frozenset({"", OCI_EMPTY, "application/octet-stream", "application/json", "text/html", "text/plain"})


def is_manifest(media_type: str) -> bool:
    """Whether it is the type of a manifest or an index; case and parameters do not matter."""
    return without_parameters(media_type) in _EVERY_MANIFEST


def is_image_config(media_type: str) -> bool:
    """Whether it is the type of an image's configuration; case and parameters do not matter."""
    return without_parameters(media_type) in IMAGE_CONFIGS


def is_image_layer(media_type: str) -> bool:
    """Whether it is a type of an image's layers; case, parameters and suffixes do not matter."""
    return without_parameters(media_type).startswith(_IMAGE_LAYER_FAMILIES)


def is_encrypted(media_type: str) -> bool:
    """Whether it is the type of an encrypted layer (ocicrypt's `+encrypted`)."""
    return without_parameters(media_type).endswith("+encrypted")


def is_taken(media_type: str) -> bool:
    """Whether some runtime may accept content of this type as a part of an image."""
    bare = without_parameters(media_type)
    return bare in _SAY_NOTHING or bare.startswith(_DOCKERS_FAMILIES)


def without_parameters(content_type: str) -> str:
    """The bare, lower-case type of a Content-Type field: `a/b; charset=utf-8` -> `a/b`."""
    return content_type.partition(";")[0].strip().lower()
