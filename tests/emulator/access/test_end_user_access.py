"""What end users may do without a permission: to use what is delegated to them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import pytest

from dfns_signers.emulator.access.identities import AccessToken, User
from dfns_signers.emulator.access.permissions import (
    add_permission,
    assign,
    owned_only,
    require_permission,
)
from dfns_signers.emulator.requests.messages import Refusal
from dfns_signers.emulator.resources.wallets import add_wallet
from dfns_signers.emulator.state import State
from dfns_signers.operations import match_operation
from tests.emulator.states import empty_state


@dataclass
class Memory:
    """An emulator with an end user, who owns one of two wallets."""

    state: State
    user: User
    token: AccessToken
    own: str
    other: str

    def refusal(self, method: str, path: str) -> int:
        """The status that a call of the end user is refused with; 0 if it is not."""
        operation = match_operation(method, path)
        assert operation
        try:
            parameters = operation.parameters(path)
            require_permission(self.state, self.token, operation, parameters)
        except Refusal as refusal:
            return refusal.status
        return 0


@pytest.fixture
def memory() -> Memory:
    state = empty_state()
    user = state.directory.add_user("ada", kind="EndUser")
    token = state.directory.add_token(user, "Token", "login")
    own = add_wallet(state, "Base", owner=user)["id"]
    return Memory(state, user, token, own, add_wallet(state, "Base")["id"])


def test_end_user_uses_wallets_and_keys_of_their_own(memory: Memory) -> None:
    key = memory.state.wallets.get(memory.own)["signingKey"]["id"]

    for method, path in (
        ("GET", f"/wallets/{memory.own}"),
        ("POST", f"/wallets/{memory.own}/transfers"),
        ("POST", f"/wallets/{memory.own}/signatures"),
        ("POST", f"/wallets/{memory.own}/transfers/xfr-1/cancel"),
        ("POST", f"/keys/{key}/signatures"),
        ("POST", "/wallets"),
        ("GET", "/wallets"),
        ("GET", "/auth/credentials"),
        ("GET", "/networks/fees"),
    ):
        assert memory.refusal(method, path) == 0, path


def test_what_belongs_to_others_is_not_found(memory: Memory) -> None:
    key = memory.state.wallets.get(memory.other)["signingKey"]["id"]

    for method, path in (
        ("GET", f"/wallets/{memory.other}"),
        ("POST", f"/wallets/{memory.other}/transfers/xfr-1/cancel"),
        ("GET", f"/keys/{key}"),
        ("GET", "/keys/key-1"),
    ):
        assert memory.refusal(method, path) == HTTPStatus.NOT_FOUND, path


def test_everything_else_requires_a_permission(memory: Memory) -> None:
    for method, path in (
        ("GET", "/permissions"),
        ("GET", "/wallets/all/history"),
        ("POST", "/auth/service-accounts"),
        ("POST", "/auth/service-accounts/credentials"),
        ("GET", "/auth/user-groups"),
        ("POST", "/key-stores/ks-1/genesis/input"),
        ("POST", "/tenant/users"),
    ):
        assert memory.refusal(method, path) == HTTPStatus.FORBIDDEN, path


@pytest.mark.parametrize(("path", "parameter"), [("/wallets", "ownerId"), ("/keys", "owner")])
def test_lists_show_what_the_end_user_owns_unless_permitted_more(
    memory: Memory, path: str, parameter: str
) -> None:
    operation = match_operation("GET", path)
    assert operation
    asked = {"limit": "1", parameter: "us-1"}

    narrowed = owned_only(memory.state, memory.token, operation, asked)
    assert narrowed == {"limit": "1", parameter: memory.user.user_id}

    permission = add_permission(memory.state, "p", ["Wallets:Read", "Keys:Read"])
    assign(memory.state, permission, memory.user.user_id)
    assert owned_only(memory.state, memory.token, operation, asked) == asked
    assert memory.refusal("GET", f"/wallets/{memory.other}") == 0
