"""What transfers and transactions can be asked alike: list, get, abort, cancel, speed up."""

from __future__ import annotations

from dataclasses import dataclass

from dfns_signers.emulator.chains.broadcasts import Broadcast, Kind, requests_of
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.state import PAGING, Record


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations on what there is of one kind.

    Attributes:
        kind: transfers or transactions.
        path: template of their list.
        parameter: placeholder of the path of one.
    """

    kind: Kind
    path: str
    parameter: str

    def routes(self) -> tuple[Route, ...]:
        """A route of each operation."""
        one = f"{self.path}/{{{self.parameter}}}"
        noun = self.kind.noun
        return (
            Route("GET", self.path, self.list_page, query=PAGING),
            Route("GET", one, self.get),
            Route("PUT", f"{one}/abort", self.abort, entity=noun),
            Route("POST", f"{one}/cancel", self.cancel, entity=noun),
            Route("POST", f"{one}/speed-up", self.speed_up, entity=noun),
        )

    def list_page(self, call: Call) -> Record:
        """A page of those of the wallet; their statuses stay as they are."""
        wallet = call.state.wallets.get(call.parameters["walletId"])
        page = requests_of(call.state, self.kind).page(call.query, walletId=wallet["id"])
        return {"walletId": wallet["id"], **page}

    def get(self, call: Call) -> Record:
        """One of the wallet."""
        return call.state.progress.read(self._broadcast(call).record)

    def abort(self, call: Call) -> Record:
        """End one before it is signed."""
        broadcast = self._broadcast(call)
        broadcast.abort()
        return broadcast.record

    def cancel(self, call: Call) -> Record:
        """The transaction that takes its place and does nothing."""
        return self._broadcast(call).replace(call, "CancelTransaction")

    def speed_up(self, call: Call) -> Record:
        """The transaction that takes its place and pays more."""
        return self._broadcast(call).replace(call, "SpeedUpTransaction")

    def _broadcast(self, call: Call) -> Broadcast:
        wallet_id, identifier = call.parameters["walletId"], call.parameters[self.parameter]
        record = requests_of(call.state, self.kind).get(identifier, walletId=wallet_id)
        return Broadcast(call.state, self.kind, record)
