"""``/keys/{keyId}/signatures`` and ``/wallets/{walletId}/signatures``.

Signing is asynchronous: the first answer is ``Pending``, and the signature is there when the
request is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dfns_signers.emulator.addresses import address_check
from dfns_signers.emulator.keys.ownership import require_owner
from dfns_signers.emulator.keys.signing_requests import sign_request
from dfns_signers.emulator.policies.approvals import judge
from dfns_signers.emulator.requests.fields import Check, integer, string, where_present
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.resources.keys import key_of_call
from dfns_signers.emulator.resources.wallets import wallet_of_call
from dfns_signers.emulator.state import PAGING, Record, State
from dfns_signers.networks import NETWORKS

_HEX: Final = string(pattern="(0x)?([0-9a-fA-F]{2})+", expected="hexadecimal digits, two per byte")
_EXTERNAL_ID: Final = {"externalId": string(1, 50)}


def _hex_unless_json(where: str, value: Any) -> None:
    if isinstance(value, str):
        _HEX(where, value)


_EIP_7702: Final = {
    "address": address_check("Ethereum"),
    "nonce": integer(0, 2**64 - 1),
    "chainId": integer(0, 2**64 - 1),
}
_MEMBERS: Final[Mapping[str, Mapping[str, Check]]] = {
    "Hash": {
        "hash": string(pattern="(0x)?[0-9a-fA-F]{64}", expected="32 bytes as hexadecimal digits"),
        "taprootMerkleRoot": string(
            0, pattern="((0x)?[0-9a-fA-F]{64})?", expected='32 bytes as hexadecimal digits, or ""'
        ),
    },
    "Message": {"message": _HEX},
    "Transaction": {"transaction": _hex_unless_json},
    "Eip191": {"message": _HEX},
    "Eip7702": _EIP_7702,
    "Psbt": {"psbt": _HEX},
    "SignDocDirect": {"signDoc": _HEX},
    "SignerPayload": {"payload": _hex_unless_json},
    "Cip8": {"payload": _HEX, "externalAad": _HEX},
}


def _check_body(where: str, value: Any) -> None:
    where_present({**_EXTERNAL_ID, **_MEMBERS.get(value["kind"], {})})(where, value)


def sign_with_key(call: Call) -> Record:
    """A signature by a key, or the one that the same request has asked for before."""
    return _sign(call, key_of_call(call), call.body.get("network"))


def sign_with_wallet(call: Call) -> Record:
    """A signature by a wallet's key, or the one that the same request has asked for before."""
    wallet = wallet_of_call(call)
    network = wallet["network"]
    key = call.state.keys.get(wallet["signingKey"]["id"])
    signature = _sign(call, key, network if network in NETWORKS else None)
    return {**signature, "walletId": wallet["id"], "network": network}


def list_of_key(call: Call) -> Record:
    """A page of the key's signatures."""
    return _page(call, key_of_call(call)["id"])


def list_of_wallet(call: Call) -> Record:
    """A page of the signatures by the wallet's key."""
    return _page(call, wallet_of_call(call)["signingKey"]["id"])


def get_of_key(call: Call) -> Record:
    """One signature of the key."""
    return _read(call, key_of_call(call)["id"])


def get_of_wallet(call: Call) -> Record:
    """One signature by the wallet's key."""
    return _read(call, wallet_of_call(call)["signingKey"]["id"])


def _sign(call: Call, key: Record, network: str | None) -> Record:
    state, body = call.state, call.body
    require_owner(call, key["id"])
    existing = state.signatures.made_before(call.path, body)
    if existing:
        return existing
    held = state.held_keys[key["id"]]
    requested: Record = {
        "id": new_id("sig"),
        "keyId": key["id"],
        "requester": call.requester,
        "requestBody": body,
        "status": "Pending",
        "dateRequested": iso_date(state.clock()),
        **({"externalId": body["externalId"]} if "externalId" in body else {}),
        **({"network": network} if network else {}),
    }
    request = _Request(state, requested, sign_request(held.material, {"network": network, **body}))
    state.signatures.add(requested)
    state.signatures.bind(requested["id"], call.path, body)
    request.publish("requested")
    # The policies of the organisation do not apply to what a user owns (Dfns docs).
    approval_id = None if held.owner_id else request.judged(call)
    if approval_id is not None:
        requested["approvalId"] = approval_id
    elif requested["status"] == "Pending":
        request.start()
    return requested


def _page(call: Call, key_id: str) -> Record:
    return {"keyId": key_id, **call.state.signatures.page(call.query, keyId=key_id)}


def _read(call: Call, key_id: str) -> Record:
    signature = call.state.signatures.get(call.parameters["signatureId"], keyId=key_id)
    return call.state.progress.read(signature)


@dataclass(frozen=True, slots=True)
class _Request:
    """A request for a signature, which is made already and shown later."""

    state: State
    record: Record
    signature: Record = field(repr=False)

    def judged(self, call: Call) -> str | None:
        """The approval that it waits for."""
        activity = {"signatureRequest": self.record}
        return judge(call, "Wallets:Sign", activity, carry_out=self.approve, reject=self.reject)

    def start(self) -> None:
        """Let the next step show the signature."""
        self.state.progress.start(self.record["id"], [self.show], self.fail)

    def approve(self) -> None:
        """Go on after an approval."""
        self.record["datePolicyResolved"] = self._now()
        self.start()

    def reject(self, reason: str) -> None:
        """End as a policy, or who decides, wants it."""
        self.record.update(status="Rejected", reason=reason, datePolicyResolved=self._now())
        self.publish("rejected")

    def fail(self, reason: str) -> None:
        """End without a signature."""
        self.record.update(status="Failed", reason=reason)
        self.publish("failed")

    def show(self) -> None:
        """Show the signature."""
        self.record.update(status="Signed", signature=self.signature, dateSigned=self._now())
        self.publish("signed")

    def publish(self, event: str) -> None:
        """Say what has happened."""
        data = {"signatureRequest": self.record}
        self.state.events.publish(f"wallet.signature.{event}", data)

    def _now(self) -> str:
        return iso_date(self.state.clock())


_KEY: Final = "/keys/{keyId}/signatures"
_WALLET: Final = "/wallets/{walletId}/signatures"
ROUTES: Final = (
    Route("POST", _KEY, sign_with_key, _check_body, entity="Signature"),
    Route("GET", _KEY, list_of_key, query=PAGING),
    Route("GET", f"{_KEY}/{{signatureId}}", get_of_key),
    Route("POST", _WALLET, sign_with_wallet, _check_body, entity="Signature"),
    Route("GET", _WALLET, list_of_wallet, query=PAGING),
    Route("GET", f"{_WALLET}/{{signatureId}}", get_of_wallet),
)
