"""Where the gzip members or zstd frames of a layer begin, in the blob and in its uncompressed stream."""

from array import array
from bisect import bisect_left

from policy.inspection.budgets import over_budget

NOWHERE = -1


class Frames:
    """The frames met so far; both offsets only grow."""

    def __init__(self, most: int) -> None:
        self._blob = array("Q")
        self._stream = array("Q")
        self._most = most

    def began(self, at: int, stream: int) -> None:
        """A frame begins at byte `at` of the blob and gives the stream's bytes from `stream` on.

        Raises:
            LayerRefused: there are more of them than any writer makes of as many members.
        """
        if len(self._blob) >= self._most:
            raise over_budget(f"the layer has more than {self._most} frames")
        self._blob.append(at)
        self._stream.append(stream)

    def stream_offset(self, at: int) -> int:
        """What byte of the stream comes first out of the frame at this byte of the blob; NOWHERE: none begins there."""
        found = bisect_left(self._blob, at)
        if found == len(self._blob) or self._blob[found] != at:
            return NOWHERE
        return self._stream[found]
