"""What every store promises of blobs, of servers that check signatures and keep what they have."""

from tests.registry.storage.test_contract_blobs import *  # noqa: F403
