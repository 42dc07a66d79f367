"""Budgets of an inspection: exceeding one makes the verdict inconclusive, never a pass."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits for reading one layer. All sizes in bytes.

    Attributes:
        uncompressed_bytes: length of the uncompressed stream.
        ratio: uncompressed to compressed length, checked beyond `ratio_from_bytes`; gzip cannot exceed 1032, so this
            is about zstd.
        ratio_from_bytes: uncompressed bytes up to which the ratio does not matter.
        members: members of the archive, extension headers not counted.
        names_bytes: all names of members, parents and link targets together; bounds the memory of the index.
        path_depth: components of one path.
        extension_bytes: one pax header or one GNU long name.
        sparse_regions: stored regions of one sparse file.
        body_bytes: one file that a detector reads whole.
        records: files of one layer that detectors have read.
        contents_table_bytes: a table of contents at a layer's end (zstd:chunked, eStargz), packed and unpacked.
        cpu_seconds: processor seconds of the scanning thread; waiting for an upload is not counted.
        window_log: largest zstd window, as a power of two (27 is what every zstd decoder grants).
    """

    uncompressed_bytes: int = 32 * GIB
    ratio: int = 2000
    ratio_from_bytes: int = 1 * GIB
    members: int = 2_000_000
    names_bytes: int = 256 * MIB
    path_depth: int = 512
    extension_bytes: int = 1 * MIB
    sparse_regions: int = 100_000
    body_bytes: int = 8 * MIB
    records: int = 10_000
    contents_table_bytes: int = 64 * MIB
    cpu_seconds: float = 300.0
    window_log: int = 27


@dataclass(frozen=True, slots=True)
class ImageBudgets:
    """Limits for composing one image from its inspected layers.

    Attributes:
        variable_length: characters of one variable of the environment (Linux itself takes 128 KiB).
        path_directories: different directories of PATH.
        wanted_files: files and links that detectors want, in all layers together.
        prefixes: directories with records of conda.
        prefix_records: records of one package in one prefix.
        pythons: different interpreters.
        steps: parts of paths, and layers, that are looked at to find files in the root.
    """

    variable_length: int = 128 * KIB
    path_directories: int = 1000
    wanted_files: int = 20_000
    prefixes: int = 200
    prefix_records: int = 100
    pythons: int = 200
    steps: int = 2_000_000


class LayerRefused(Exception):
    """A layer cannot be read to its end.

    Attributes:
        reason: a stable word: `damaged-layer`, `budget`, `hostile-name`, `unsupported-layer`.
        message: the sentence for a person, without the layer's name.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def damaged(message: str) -> LayerRefused:
    """The layer's bytes violate their format."""
    return LayerRefused("damaged-layer", message)


def over_budget(message: str) -> LayerRefused:
    """The layer exceeds a budget."""
    return LayerRefused("budget", message)


def hostile(message: str) -> LayerRefused:
    """The layer has names on which unpackers disagree or fail."""
    return LayerRefused("hostile-name", message)
