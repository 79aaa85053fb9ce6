"""Everything one emulator remembers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from dfns_signers.emulator.collection import Collection
from dfns_signers.emulator.directory import Directory
from dfns_signers.emulator.external_ids import ExternalIds
from dfns_signers.emulator.identifiers import new_id
from dfns_signers.emulator.ledger import Ledger

WalletKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Action:
    """The call that a user action is for, as it was announced."""

    method: str
    path: str
    payload: str = field(repr=False)


@dataclass(frozen=True)
class ActionChallenge:
    """A challenge that must be signed before a call."""

    challenge: str
    action: Action


@dataclass(frozen=True)
class CredentialChallenge:
    """A challenge that must be signed to register a credential."""

    challenge: str
    kind: str


class State:
    """The memory of one emulator; it ends with the process."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        exact_payloads: bool,
        challenge_lifetime: float,
        user_action_lifetime: float,
        page_size: int,
    ) -> None:
        self.clock = clock
        self.exact_payloads = exact_payloads
        self.org_id = new_id("or")
        self.directory = Directory()
        self.action_challenges = Ledger[ActionChallenge](clock, challenge_lifetime)
        self.credential_challenges = Ledger[CredentialChallenge](clock, challenge_lifetime)
        self.user_actions = Ledger[Action](clock, user_action_lifetime)
        self.external_ids = ExternalIds()
        self.wallets = Collection("Wallet", page_size)
        self.transfers = Collection("Transfer", page_size)
        self.keys = Collection("Key", page_size)
        self.signatures = Collection("Signature", page_size)
        self.policies = Collection("Policy", page_size)
        self.permissions = Collection("Permission", page_size)
        self.private_keys: dict[str, WalletKey] = {}
