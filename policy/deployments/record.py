"""One deployment as it is recorded: what was asked for, what was found, who asked, and since when."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from registry.oci.digest import Digest
from registry.oci.names import RepositoryName

RECORDED, RELEASED = "recorded", "released"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a deployment is made of; two that are equal are the same deployment.

    Attributes:
        name: of the service.
        models: `name:version` each, in the order given.
        workspace: its name.
        compute_type: `aks`, `aci`, `local`, `iot` or `mir`.
        compute_target: its name; "" where none is needed.
        profile: `cli` or `sdk`: whose rules were applied.
        registry_kind: `workspace`, `public` or `standalone`.
        image: as the configuration names it.
        pinned: the same image by its digest.
        repository: where this registry holds it.
        digest: of its manifest.
        configuration: digest of the pinned inference configuration, its secrets left out, as canonical JSON.
    """

    name: str
    models: tuple[str, ...]
    workspace: str
    compute_type: str
    compute_target: str
    profile: str
    registry_kind: str
    image: str
    pinned: str
    repository: RepositoryName
    digest: Digest
    configuration: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A recorded deployment.

    Attributes:
        id: names it for ever.
        wanted: what it is made of.
        verdict: what the policy said of the image.
        policy: `{"name", "digest"}`.
        recorded: seconds since the epoch.
        recorded_by, recorded_by_name: id and name of the principal; both as of then.
        receipt: the signed receipt, as it was given last.
        ends: when that ends, in seconds since the epoch.
        released: seconds since the epoch; `None` while the image is held.
        released_by: name of the principal.
    """

    id: str
    wanted: Wanted
    verdict: str
    policy: Mapping[str, Any]
    recorded: float
    recorded_by: str
    recorded_by_name: str
    receipt: str = ""
    ends: float = 0.0
    released: float | None = None
    released_by: str = ""

    @property
    def state(self) -> str:
        """Whether its image is held."""
        return RECORDED if self.released is None else RELEASED

    def kept(self) -> dict[str, Any]:
        """JSON-able data for the disk."""
        return asdict(self) | {"policy": dict(self.policy)}

    @classmethod
    def from_kept(cls, document: Mapping[str, Any]) -> Self:
        """What `kept` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        wanted = dict(document["wanted"])
        wanted["models"] = tuple(map(str, wanted["models"]))
        wanted["repository"] = RepositoryName.parse(wanted["repository"])
        wanted["digest"] = Digest.parse(wanted["digest"])
        rest = {field.name: document[field.name] for field in fields(cls) if field.name != "wanted"}
        return cls(wanted=Wanted(**wanted), **rest)
