"""Offsets of a layer's gzip members or zstd frames, in the blob and in the uncompressed stream."""

from array import array
from bisect import bisect_left

from policy.inspection.budgets import over_budget

NOWHERE = -1


class Frames:
    """The frames read so far; both offsets only grow."""

    def __init__(self, most: int) -> None:
        self._blob = array("Q")
        self._stream = array("Q")
        self._most = most

    def began(self, offset: int, stream: int) -> None:
        """A frame begins at byte `at` of the blob and gives the stream's bytes from `stream` on.

        Raises:
            LayerRefused: there are more frames than any writer makes for so many members.
        """
        if len(self._blob) >= self._most:
            raise over_budget(f"the layer has more than {self._most} frames")
        self._blob.append(offset)
        self._stream.append(stream)

    def stream_offset(self, offset: int) -> int:
        """The stream offset of the frame that begins at this byte of the blob; NOWHERE when none does."""
        index = bisect_left(self._blob, offset)
        if index == len(self._blob) or self._blob[index] != offset:
            return NOWHERE
        return self._stream[index]
