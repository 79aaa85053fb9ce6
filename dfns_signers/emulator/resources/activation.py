"""``POST /wallets/{walletId}/activate``: a transaction that opens the wallet's account."""

from __future__ import annotations

from dataclasses import dataclass

from dfns_signers.emulator.chains.broadcasts import TRANSACTION, requests_of
from dfns_signers.emulator.chains.settlement import new_transaction_hash
from dfns_signers.emulator.keys.ownership import require_owner
from dfns_signers.emulator.requests.messages import bad_request
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.resources.wallets import wallet_of_call
from dfns_signers.emulator.state import Record, State


def activate(call: Call) -> Record:
    """The transaction that activates a wallet once it is confirmed."""
    wallet = wallet_of_call(call)
    if "address" not in wallet:
        raise bad_request("key.network", f"{wallet['network']} is a key without a blockchain.")
    require_owner(call, wallet["signingKey"]["id"])
    requested: Record = {
        "id": new_id(TRANSACTION.prefix),
        "walletId": wallet["id"],
        "network": wallet["network"],
        "requester": call.requester,
        "requestBody": {"kind": "ActivateAccount", "args": call.body},
        "status": "Pending",
        "dateRequested": iso_date(call.state.clock()),
    }
    activation = _Activation(call.state, wallet, requested)
    activation.publish("requested")
    progress, steps = call.state.progress, [activation.broadcast, activation.confirm]
    progress.start(requested["id"], steps, activation.fail)
    # Who reads the wallet waits for it, too.
    progress.start(wallet["id"], [activation.move] * len(steps))
    return requests_of(call.state, TRANSACTION).add(requested)


@dataclass(frozen=True, slots=True)
class _Activation:
    """A transaction on its way, and the wallet that it activates."""

    state: State
    wallet: Record
    record: Record

    def move(self) -> None:
        """Take the next step."""
        self.state.progress.step(self.record["id"])

    def broadcast(self) -> None:
        """Send it."""
        tx_hash = new_transaction_hash(self.record["network"])
        self.record.update(status="Broadcasted", txHash=tx_hash, dateBroadcasted=self._now())
        self.publish("broadcasted")

    def confirm(self) -> None:
        """Find it in a block: the wallet is active."""
        self.record.update(status="Confirmed", dateConfirmed=self._now())
        self.publish("confirmed")
        validator = self.record["requestBody"]["args"].get("validatorId")
        self.wallet.update(status="Active", **({"validatorId": validator} if validator else {}))
        self.state.events.publish("wallet.activated", {"wallet": self.wallet})

    def fail(self, reason: str) -> None:
        """Never reach a block: the wallet stays as it is."""
        self.record.update(status="Failed", reason=reason)
        self.publish("failed")

    def publish(self, event: str) -> None:
        """Say what has happened."""
        data = {TRANSACTION.member: self.record}
        self.state.events.publish(f"{TRANSACTION.event}.{event}", data)

    def _now(self) -> str:
        return iso_date(self.state.clock())


ROUTES = (Route("POST", "/wallets/{walletId}/activate", activate, entity="Wallet"),)
