"""An emulator, who calls it, and the entities that calls of its operations need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from dfns_signers.emulator import Emulator
from dfns_signers.operations import Operation, find_operation, match_operation
from tests.core.keys import private_key, private_pem, public_key, public_pem
from tests.emulator.caller import Caller, answered
from tests.emulator.end_users import Application, key_credential, recovery_credential
from tests.emulator.flows import Json
from tests.emulator.keys import PrivateKey
from tests.emulator.keys import private_key as emulator_key

USER = "emulator-user"
ALICE = "alice@example.com"
NETWORK = "EthereumSepolia"
TO = f"0x{'00' * 20}"
PRIVATE_PEM = private_pem(private_key("Ed25519")).decode()
# Where an answer has the id of what was made, if not in ``id``.
IDENTIFIERS = {
    "/auth/apps": "appId",
    "/auth/credentials": "credentialUuid",
    "/auth/pats": "tokenId",
    "/auth/service-accounts": "userInfo.userId",
    "/auth/service-accounts/credentials": "credentialUuid",
    "/auth/users": "userId",
}


class Who(NamedTuple):
    """Whose token and credential a client has."""

    token: str
    credential_id: str


@dataclass(frozen=True)
class World:
    """One emulator.

    Attributes:
        caller: a user.
        application: what a service account does for its end users.
    """

    emulator: Emulator
    caller: Caller
    application: Application

    def who(self, operation: Operation) -> Who:
        """Who calls an operation: the user, where it does not have to be a service account."""
        path = operation.path
        is_for_accounts = path.endswith("/delegated") or "/service-accounts/credentials" in path
        return _who(self.application.account if is_for_accounts else self.caller)

    def identifier(self, collection: str, body: Json) -> str:
        """The id of a new entity of a collection."""
        operation = match_operation("POST", collection)
        assert operation, collection
        caller = self.caller
        if self.who(operation) != _who(caller):
            caller = self.application.account
        return _identifier_in(answered(caller.call("POST", collection, body)), operation.path)

    def listed(self, collection: str) -> str:
        """The id of an entity that no operation makes: the first that is listed, or one added."""
        template = match_operation("GET", collection)
        assert template, collection
        items = answered(self.caller.get(collection))["items"]
        found = items[0] if items else self.emulator.entities.add(collection)
        return _identifier_in(found, template.path)

    def audit_log(self, collection: str) -> str:
        """The id of what is in the logs of signatures."""
        self.caller.create("/wallets", {"network": NETWORK})
        path = f"{collection}?startTime=2026-01-01&endTime=2100-01-01"
        return self.caller.get(path).text.splitlines()[1].split(",")[0]

    def agreement(self) -> str:
        """The id of an agreement that the user has not accepted."""
        path = "/agreements/latest-unaccepted?agreementType=PrivacyPolicy"
        return str(answered(self.caller.get(path))["latestAgreement"]["id"])

    def webhook_event(self, collection: str) -> str:
        """The id of an event that was to be delivered."""
        self.caller.create("/wallets", {"network": NETWORK})
        self.emulator.webhooks.wait()
        return self.listed(collection)

    def approval(self, _collection: str) -> str:
        """The id of an approval that waits for the user."""
        group = {"quorum": 1, "approvers": {"userId": {"in": [self.emulator.user_id]}}}
        policy = {
            "name": "all",
            "activityKind": "Wallets:Sign",
            "rule": {"kind": "AlwaysTrigger"},
            "action": {"kind": "RequestApproval", "approvalGroups": [group]},
        }
        self.caller.create("/v2/policies", policy)
        account = self.application.account
        wallet = account.create("/wallets", {"network": NETWORK})
        transfer = {"kind": "Native", "to": TO, "amount": "1"}
        return str(account.create(f"/wallets/{wallet['id']}/transfers", transfer)["approvalId"])

    def invited(self) -> str:
        """The name of a user who has a registration code."""
        self.caller.create("/auth/users", {"email": ALICE, "kind": "CustomerEmployee"})
        answered(self.application.open("/auth/registration/code", "PUT", username=ALICE))
        return ALICE

    def registered(self) -> str:
        """The name of an end user with a recovery key."""
        challenge = self.application.begin(ALICE)
        key = key_credential(challenge, "Key", "cr-alice", emulator_key("p256", 8))
        recovery = recovery_credential(challenge)
        answered(
            self.application.complete(
                challenge, firstFactorCredential=key, recoveryCredential=recovery
            )
        )
        return ALICE


def find(name: str) -> Operation:
    """The operation of a method and a template."""
    operation = find_operation(*name.split(" "))
    assert operation, name
    return operation


@contextmanager
def official_world() -> Iterator[World]:
    """A world of its own."""
    key: PrivateKey = private_key("Ed25519")
    pem = public_pem(public_key("Ed25519"))
    with Emulator(credentials={"cr-1": pem}) as emulator:
        identity = emulator.add_identity(
            "application", service_account=True, credentials={"cr-2": pem}
        )
        with (
            Caller(emulator.url, emulator.auth_token, "cr-1", key) as caller,
            Caller(emulator.url, identity.token, "cr-2", key) as account,
        ):
            yield World(emulator, caller, Application(emulator, account))


def _who(caller: Caller) -> Who:
    return Who(caller.token, caller.credential_id)


def _identifier_in(found: Any, template: str) -> str:
    for name in IDENTIFIERS.get(template, "id").split("."):
        found = found[name]
    return quote(str(found), safe="")
