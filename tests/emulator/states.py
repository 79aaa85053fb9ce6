"""The memory of an emulator, for tests of what needs no server."""

from __future__ import annotations

from dfns_signers.emulator.credentials.relying_party import RelyingParty
from dfns_signers.emulator.state import State

NOW = 1_800_000_000.0


def empty_state() -> State:
    """A memory with nothing in it, at ``NOW``."""
    return State(
        clock=lambda: NOW,
        exact_payloads=False,
        challenge_lifetime=1,
        user_action_lifetime=1,
        page_size=10,
        relying_party=RelyingParty(),
    )
