"""``doctor`` examines profiles of a real server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command
from tests.plugins.doctor import NOBODY_LISTENS, Fault, assert_in_order, assert_named
from tests.plugins.flow import Flow
from tests.plugins.vault_transit.diagnoses import rules_for
from tests.plugins.vault_transit.operator import Operator


@dataclass(frozen=True)
class OwnKey:
    """A key, the operator of its server, and the token of the profile with its policy."""

    operator: Operator
    name: str
    policy: str
    token: str

    def disable(self) -> None:
        self.operator.rotate(self.name)
        self.operator.configure(self.name, min_encryption_version=2)

    def delete(self) -> None:
        self.operator.delete(self.name)

    def deny_signing(self) -> None:
        rules = [rule for rule in rules_for(self.operator, self.name) if "/sign/" not in rule]
        self.operator.client.sys.create_or_update_policy(self.policy, "\n".join(rules))

    def allow_any_mount(self) -> None:
        """Without the right to look there, a mount that is missing is one that is denied."""
        rule = 'path "*" { capabilities = ["read", "update"] }'
        self.operator.client.sys.create_or_update_policy(self.policy, rule)

    def revoke(self) -> None:
        self.operator.revoke(self.token)


@pytest.fixture
def own(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> OwnKey:
    name = operator.key()
    policy = operator.policy("\n".join(rules_for(operator, name)))
    token = operator.token(policy, no_default_policy=True)
    monkeypatch.setenv("VAULT_TOKEN", token)
    return OwnKey(operator, name, policy, token)


@pytest.fixture
def flow(operator: Operator, own: OwnKey, dfns_emulator: Emulator, tmp_path: Path) -> Flow:
    where = {"address": operator.server.address, "mount": operator.mount}
    key = {"key": own.name, "key_version": 1, "max_attempts": 1}
    return Flow.of(dfns_emulator, tmp_path, {"backend": "vault-transit", **where, **key})


FAULTS = [
    Fault("disabled", "key state", "min_encryption_version, 2", "/config", OwnKey.disable),
    Fault("gone", "key state", "there is no such key", "vault list", OwnKey.delete),
    Fault("denied", "permissions", "sign", "capabilities", OwnKey.deny_signing),
    Fault("revoked", "key store", "the token is not valid", "renew it", OwnKey.revoke),
    Fault(
        "wrong place",
        "key state",
        "nothing is mounted at 'nowhere'",
        "vault list nowhere/keys",
        OwnKey.allow_any_mount,
        signer={"mount": "nowhere"},
    ),
    Fault(
        "unreachable",
        "key store",
        "127.0.0.1",
        "check",
        signer={"address": NOBODY_LISTENS},
    ),
]


def test_profile_in_order(command: Command, flow: Flow) -> None:
    assert_in_order(command, flow, "Vault policy (HCL)")


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_fault_is_named_with_its_remedy(
    command: Command, flow: Flow, own: OwnKey, fault: Fault
) -> None:
    assert_named(command, flow, fault, own)
