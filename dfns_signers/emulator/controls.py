"""What a test does to the world of an emulator, beside the calls of the API."""

from __future__ import annotations

from dfns_signers.emulator.chains.funds import Funds
from dfns_signers.emulator.policies.approvals import Approvals
from dfns_signers.emulator.progress import ProgressControl
from dfns_signers.emulator.service import Service
from dfns_signers.emulator.state import State


class Controls:
    """The part of an emulator that each area offers as an object of its own."""

    _state: State
    _service: Service

    @property
    def progress(self) -> ProgressControl:
        """Moves transfers, transactions and signatures to their next status."""
        return ProgressControl(self._state.progress, self._service.lock)

    @property
    def approvals(self) -> Approvals:
        """What waits for approval; ``approvals.decide`` decides it."""
        return Approvals(self._state, self._service.lock)

    @property
    def funds(self) -> Funds:
        """Gives assets to wallets."""
        return Funds(self._state, self._service.lock)
