"""What every store promises of uploads, of servers that check signatures and keep what they have."""

from tests.registry.storage.test_contract_uploads import *  # noqa: F403
