"""The settings of the gateway (section `gateway`), and of its clients (section `client`)."""

from pydantic import Field, field_validator

from registry.config.group import Group, Words
from registry.oci.errors import OciError
from registry.oci.image_reference import ImageReference


class GatewaySettings(Group):
    """Checks of images that are referenced for a deployment."""

    hosts: Words = Field(
        default=(),
        description="names (HOST or HOST:PORT) that mean this registry in image references, beside the name a request "
        "came in under and loopback names with the same port",
    )
    request_bytes: int = Field(
        default=256 * 1024,
        ge=1024,
        description="largest body of a check, the inference configuration included; larger ones get 413",
    )
    yaml_bytes: int = Field(
        default=65_536,
        ge=1024,
        description="longest inference configuration in YAML; a longer one must be JSON",
    )
    default_image: str = Field(
        default="",
        description="the image that the service takes for a configuration which names none: judged in its place; "
        "empty: such configurations cannot be told",
    )

    public_images: Words = Field(
        default=(),
        description="patterns of images for which nobody has to sign in (`*` matches everything), as HOST/repository "
        "or HOST/repository:tag, beside the four of the documentation; each is judged by its copy in this registry, "
        "which is named HOST/repository as well",
    )

    @field_validator("default_image")
    @classmethod
    def _is_an_image(cls, value: str) -> str:
        try:
            return value and str(ImageReference.parse(value))
        except OciError as error:
            raise ValueError(error.message) from None


class ClientSettings(Group):
    """Defaults of the commands that call a gateway."""

    gateway: str = Field(
        default="",
        description="HOST:PORT of the gateway that is asked unless `--gateway` or BASEGATE_GATEWAY names one; "
        "empty: the registry of the image",
    )
