"""The life of transfers and transactions, from the request to a block."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from dfns_signers.emulator.chains.assets import check_replaceable
from dfns_signers.emulator.chains.balances import InsufficientFundsError
from dfns_signers.emulator.chains.movements import movements_of
from dfns_signers.emulator.chains.settlement import (
    Movement,
    check_funds,
    fee_of,
    new_transaction_hash,
    settle,
)
from dfns_signers.emulator.keys.ownership import require_owner
from dfns_signers.emulator.policies.approvals import judge
from dfns_signers.emulator.progress import Step
from dfns_signers.emulator.requests.messages import Refusal, bad_request
from dfns_signers.emulator.requests.routes import Call
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import Collection, Record, State

ReplacementKind: TypeAlias = Literal["CancelTransaction", "SpeedUpTransaction"]


class Kind(NamedTuple):
    """What is on its way.

    Attributes:
        noun: what one is called in messages.
        prefix: of the identifiers.
        event: how the names of its events begin.
        member: what it is called in events and approvals.
        copied: members of the request that it has, too.
    """

    noun: str
    prefix: str
    event: str
    member: str
    copied: tuple[str, ...]


TRANSFER: Final = Kind(
    "Transfer", "xfr", "wallet.transfer", "transferRequest", ("externalId", "feeSponsorId")
)
TRANSACTION: Final = Kind(
    "Transaction", "tx", "wallet.transaction", "transactionRequest", ("externalId",)
)


def requests_of(state: State, kind: Kind) -> Collection:
    """All transfers, or all transactions."""
    return state.collection(kind.noun)


def request(call: Call, kind: Kind, wallet: Record, members: Record | None = None) -> Record:
    """What the call asks for, on its way unless a policy keeps it; or what it has made before."""
    state, body = call.state, call.body
    require_owner(call, wallet["signingKey"]["id"])
    requests = requests_of(state, kind)
    existing = requests.made_before(call.path, body)
    if existing:
        return existing
    broadcast = _new(call, kind, wallet, body, members)
    record = broadcast.record
    requests.bind(record["id"], call.path, body)
    approval_id = None if "delegatedTo" in wallet["signingKey"] else broadcast.judged(call)
    if approval_id is not None:
        record["approvalId"] = approval_id
    elif record["status"] == "Pending":
        broadcast.start()
    return record


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A transfer or transaction on its way.

    Attributes:
        original: what it replaces.
    """

    state: State
    kind: Kind
    record: Record
    original: Broadcast | None = None

    def judged(self, call: Call) -> str | None:
        """The approval that it waits for; not asked where a user owns the wallet (Dfns docs)."""
        return judge(
            call,
            "Wallets:Sign",
            {self.kind.member: self.record},
            carry_out=self.approve,
            reject=self.reject,
        )

    def start(self) -> None:
        """Set out: Executing, Broadcasted and Confirmed are to come."""
        self._go_on(self._execute, self._broadcast, self._confirm)

    def approve(self) -> None:
        """Set out after an approval, unless it was aborted before."""
        if self.record["status"] == "Pending":
            self.record["datePolicyResolved"] = self._now
            self.start()

    def reject(self, reason: str) -> None:
        """End as a policy, or who decides, wants it; unless it was aborted before."""
        if self.record["status"] == "Pending":
            self._move("Rejected", reason=reason, datePolicyResolved=self._now)

    def abort(self) -> None:
        """End before it is signed; refused when it is."""
        self._require("aborted", "Pending", "Executing")
        self._fail("aborted")

    def replace(self, call: Call, kind: ReplacementKind) -> Record:
        """A transaction in its place, of the same nonce; refused when it is too late for that.

        A cancellation also uses up the nonce of what failed before it was broadcast (Dfns docs).
        """
        record = self.record
        check_replaceable(record["network"])
        cancels = kind == "CancelTransaction"
        if not (cancels and record["status"] == "Failed" and "txHash" not in record):
            self._require("cancelled" if cancels else "sped up", "Broadcasted")
        if "replacementId" in record or record["requestBody"]["kind"] in get_args(ReplacementKind):
            raise _refused(f"{self._name} has a replacement, or is one.")
        sent = {"txHash": record["txHash"]} if "txHash" in record else {}
        body = {"kind": kind, "signedTx": f"0x02{secrets.token_hex(110)}", **sent}
        wallet = self.state.wallets.get(record["walletId"])
        replacement = _new(call, TRANSACTION, wallet, body, original=self)
        record["replacementId"] = replacement.record["id"]
        replacement.start()
        if record["status"] == "Broadcasted":
            self._go_on(*[replacement.step] * 3)
        return replacement.record

    def make_way(self, replacement: Record) -> None:
        """End as the replacement wants it that is in a block."""
        if self.record["status"] != "Broadcasted":
            return
        if replacement["requestBody"]["kind"] == "CancelTransaction":
            self._fail(f"cancelled by transaction {replacement['id']}")
        else:
            self.record["txHash"] = replacement["txHash"]
            self.state.progress.stop(self.record["id"])
            self._confirm()

    def resume(self) -> None:
        """Go on without the replacement, which has failed."""
        self._go_on(self._confirm)

    def step(self) -> None:
        """Take the next step."""
        self.state.progress.step(self.record["id"])

    @property
    def _name(self) -> str:
        return f"{self.kind.noun} {self.record['id']}"

    @property
    def _now(self) -> str:
        return iso_date(self.state.clock())

    @property
    def _wallet(self) -> Record:
        return self.state.wallets.get(self.record["walletId"])

    @property
    def _cost(self) -> tuple[list[Movement], int]:
        """What it moves, and the fee that the wallet pays: none where a sponsor does."""
        movements = movements_of(self._wallet, self.record["requestBody"])
        is_sponsored = "feeSponsorId" in self.record["requestBody"]
        return movements, 0 if is_sponsored or not movements else fee_of(self.record["network"])

    def _go_on(self, *steps: Step) -> None:
        self.state.progress.start(self.record["id"], steps, self._fail)

    def _execute(self) -> None:
        self.record["status"] = "Executing"

    def _broadcast(self) -> None:
        try:
            check_funds(self.state, self._wallet, *self._cost)
        except InsufficientFundsError as error:
            self._fail(str(error))
        else:
            tx_hash = new_transaction_hash(self.record["network"])
            self._move("Broadcasted", txHash=tx_hash, dateBroadcasted=self._now)

    def _confirm(self) -> None:
        movements, fee = self._cost
        try:
            settle(self.state, self._wallet, movements, fee, self.record["txHash"])
        except InsufficientFundsError as error:
            return self._fail(str(error))
        if movements:
            self.record["fee"] = str(fee_of(self.record["network"]))
        self._move("Confirmed", dateConfirmed=self._now)
        if self.original:
            self.original.make_way(self.record)
        return None

    def _fail(self, reason: str) -> None:
        self.state.progress.stop(self.record["id"])
        self._move("Failed", reason=reason)
        if self.original and self.original.record["status"] == "Broadcasted":
            self.original.resume()

    def _move(self, status: str, **members: str) -> None:
        self.record.update(status=status, **members)
        self.publish(status.lower())

    def publish(self, event: str) -> None:
        """Say what has happened."""
        self.state.events.publish(f"{self.kind.event}.{event}", {self.kind.member: self.record})

    def _require(self, verb: str, *statuses: str) -> None:
        if self.record["status"] not in statuses:
            raise _refused(
                f"{self._name} must be {' or '.join(statuses)} to be {verb},"
                f" and is {self.record['status']}."
            )


def _new(
    call: Call,
    kind: Kind,
    wallet: Record,
    body: Record,
    members: Record | None = None,
    original: Broadcast | None = None,
) -> Broadcast:
    """A request that is Pending."""
    record = {
        "id": new_id(kind.prefix),
        "walletId": wallet["id"],
        "network": wallet["network"],
        "requester": call.requester,
        "requestBody": body,
        "status": "Pending",
        "dateRequested": iso_date(call.state.clock()),
        **{name: body[name] for name in kind.copied if name in body},
        **(members or {}),
    }
    broadcast = Broadcast(call.state, kind, requests_of(call.state, kind).add(record), original)
    broadcast.publish("requested")
    return broadcast


def _refused(message: str) -> Refusal:
    return bad_request("status", message)
