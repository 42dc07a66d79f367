"""The settings of judging: policies and modes by repository, and budgets of inspection."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from policy.decision import Mode
from policy.definition.policy import DEFAULT
from policy.inspection.budgets import Budgets, ImageBudgets
from policy.inspection.worker.limits import WorkerLimits
from registry.config.group import MEBIBYTE, Group

_BUDGETS = Budgets()
_IMAGE_BUDGETS = ImageBudgets()


class BudgetSettings(Group):
    """What reading one layer may cost; past one of these the image is inconclusive."""

    uncompressed_bytes: int = Field(
        default=_BUDGETS.uncompressed_bytes, ge=1, description="length of a layer's uncompressed stream"
    )
    ratio: int = Field(default=_BUDGETS.ratio, ge=1, description="uncompressed to compressed length")
    ratio_from_bytes: int = Field(
        default=_BUDGETS.ratio_from_bytes, ge=0, description="below so many uncompressed bytes no ratio counts"
    )
    members: int = Field(default=_BUDGETS.members, ge=1, description="members of a layer's archive")
    names_bytes: int = Field(default=_BUDGETS.names_bytes, ge=1, description="member names and link targets together")
    path_depth: int = Field(default=_BUDGETS.path_depth, ge=1, description="components of one path")
    extension_bytes: int = Field(default=_BUDGETS.extension_bytes, ge=1, description="one pax header or long name")
    sparse_regions: int = Field(default=_BUDGETS.sparse_regions, ge=1, description="stored regions of one sparse file")
    body_bytes: int = Field(default=_BUDGETS.body_bytes, ge=1, description="one file that is read whole")
    records: int = Field(default=_BUDGETS.records, ge=1, description="files of one layer that are read whole")
    contents_table_bytes: int = Field(
        default=_BUDGETS.contents_table_bytes,
        ge=1,
        description="table of contents at the end of a layer",
    )
    cpu_seconds: float = Field(
        default=_BUDGETS.cpu_seconds, gt=0, description="processor seconds for one layer, waiting not counted"
    )
    window_log: int = Field(
        default=_BUDGETS.window_log, ge=10, le=31, description="largest zstd window, as a power of two"
    )

    def budgets(self) -> Budgets:
        """The budgets as inspection needs them."""
        return Budgets(**self.model_dump())


class ImageBudgetSettings(Group):
    """What composing one image from its layers may cost; past one of these the image is inconclusive."""

    variable_length: int = Field(
        default=_IMAGE_BUDGETS.variable_length, ge=1, description="characters of one variable of the environment"
    )
    path_directories: int = Field(
        default=_IMAGE_BUDGETS.path_directories, ge=1, description="different directories of PATH"
    )
    wanted_files: int = Field(
        default=_IMAGE_BUDGETS.wanted_files, ge=1, description="files that are read whole, in all layers together"
    )
    prefixes: int = Field(default=_IMAGE_BUDGETS.prefixes, ge=1, description="directories with records of conda")
    prefix_records: int = Field(
        default=_IMAGE_BUDGETS.prefix_records, ge=1, description="records of one package in one prefix"
    )
    pythons: int = Field(default=_IMAGE_BUDGETS.pythons, ge=1, description="different Python interpreters")
    steps: int = Field(
        default=_IMAGE_BUDGETS.steps,
        ge=1,
        description="parts of paths, and layers, looked at to find files in the root",
    )

    def budgets(self) -> ImageBudgets:
        """The budgets as inspection needs them."""
        return ImageBudgets(**self.model_dump())


class InspectionSettings(Group):
    """The worker processes that inspect layers."""

    workers: int = Field(default=2, ge=1, le=64, description="processes that read layers, started when first needed")
    memory_bytes: int = Field(
        default=1024 * MEBIBYTE, ge=128 * MEBIBYTE, description="address space of one worker process"
    )
    wall_seconds: float = Field(
        default=600.0, gt=0, description="a worker that has not answered so long after a layer was complete is killed"
    )
    recycle_layers: int = Field(default=200, ge=1, description="a worker is replaced after so many layers")
    nice: int = Field(
        default=10, ge=0, le=19, description="how far a worker stands back while nobody waits for what it reads"
    )
    follow_bytes: int = Field(
        default=64 * 1024, ge=4096, description="uploads are followed while they arrive from so many bytes on"
    )
    follow_queue: int = Field(default=32, ge=0, description="uploads that may wait for a worker; others are read later")
    idle_seconds: float = Field(
        default=2.0, gt=0, description="an upload that has stalled so long gives its worker to others that wait"
    )
    rest_seconds: float = Field(
        default=60.0, gt=0, description="idle workers exit after this many seconds and free their memory"
    )
    config_bytes: int = Field(
        default=8 * MEBIBYTE, ge=4096, description="largest image configuration; a larger one is inconclusive"
    )
    cache_bytes: int = Field(
        default=16 * MEBIBYTE, ge=0, description="memory for the inspections of layers seen lately"
    )
    budgets: BudgetSettings = BudgetSettings()
    image_budgets: ImageBudgetSettings = ImageBudgetSettings()

    def worker_limits(self) -> WorkerLimits:
        """The limits of the workers."""
        return WorkerLimits(
            workers=self.workers,
            memory_bytes=self.memory_bytes,
            wall_seconds=self.wall_seconds,
            recycle_layers=self.recycle_layers,
            nice=self.nice,
            follow_queue=self.follow_queue,
            budgets=self.budgets.budgets(),
            idle_seconds=self.idle_seconds,
            rest_seconds=self.rest_seconds,
        )


class Binding(Group):
    """The policy and mode of the repositories of a pattern."""

    repositories: str = Field(
        description="repository pattern; * matches everything, / included; the longest match counts"
    )
    policy: str = Field(default="", description="policy name; empty: the default policy")
    mode: Annotated[Mode | None, Field(description="enforce, reject, warn or audit; absent: the default mode")] = None


class JudgingSettings(Group):
    """Policies and modes by repository."""

    name: str = Field(default=DEFAULT, description="the policy of every repository without a binding of its own")
    mode: Mode = Field(
        default=Mode.ENFORCE,
        description="enforce: keep, but withhold what is not cleared; reject: refuse the push; warn; audit",
    )
    bindings: tuple[Binding, ...] = Field(default=(), description="policies and modes of repository patterns")
    folder: Path | None = Field(default=None, description="folder with more policy files (*.yaml)")
    wait_seconds: float = Field(
        default=30.0, ge=0, description="how long a manifest push waits for layers that are still being read"
    )
    events: bool = Field(
        default=True, description="tell of it when the verdict of an image is there or changes: docs/events.md"
    )
    refusals: int = Field(
        default=200,
        ge=0,
        le=10_000,
        description="the latest refused pulls, pushes and references that are kept in memory for the page of "
        "activity; 0: none",
    )
    verdict_cache: int = Field(default=100_000, ge=100, description="verdicts kept in memory")
    inspection: InspectionSettings = InspectionSettings()
