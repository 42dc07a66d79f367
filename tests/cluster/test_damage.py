"""What every store promises of damage, of servers that check signatures and keep what they have."""

from tests.registry.storage.test_contract_damage import *  # noqa: F403
