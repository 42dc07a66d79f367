"""Tables of contents of zstd:chunked and eStargz layers, compared with the tar that everybody else unpacks."""

from policy.inspection.contents.reading import with_contents_table

__all__ = ["with_contents_table"]
