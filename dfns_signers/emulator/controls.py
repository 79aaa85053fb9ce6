"""What a test does to the world of an emulator, beside the calls of the API."""

from __future__ import annotations

from dfns_signers.emulator.access.identities import Identity
from dfns_signers.emulator.access.mail import Mail
from dfns_signers.emulator.chains.funds import Funds
from dfns_signers.emulator.kept.added_by_tests import Entities
from dfns_signers.emulator.policies.approvals import Approvals
from dfns_signers.emulator.progress import ProgressControl
from dfns_signers.emulator.service import Service
from dfns_signers.emulator.state import State
from dfns_signers.emulator.webhooks.webhooks import Webhooks


class Controls:
    """The part of an emulator that each area offers as an object of its own."""

    _state: State
    _service: Service
    _first: Identity

    @property
    def approvals(self) -> Approvals:
        """What waits for approval; ``approvals.decide`` decides it."""
        return Approvals(self._state, self._service.lock)

    @property
    def entities(self) -> Entities:
        """Puts entities there that no operation makes."""
        return Entities(self._service, self._first.token)

    @property
    def funds(self) -> Funds:
        """Gives assets to wallets."""
        return Funds(self._state, self._service.lock)

    @property
    def mail(self) -> Mail:
        """The codes that were sent to users."""
        return Mail(self._state.mail, self._service.lock)

    @property
    def progress(self) -> ProgressControl:
        """Moves transfers, transactions and signatures to their next status."""
        return ProgressControl(self._state.progress, self._service.lock)

    @property
    def webhooks(self) -> Webhooks:
        """What was delivered to webhooks; ``webhooks.retry`` delivers again what failed."""
        return self._state.webhooks
