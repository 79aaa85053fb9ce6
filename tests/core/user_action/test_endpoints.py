"""Which calls the API reference wants signed."""

from __future__ import annotations

import pytest

from dfns_signers.user_action.endpoints import needs_user_action

UNSIGNED = [
    ("POST", "/auth/action/init"),
    ("POST", "/auth/action"),
    ("POST", "/auth/login"),
    ("POST", "/auth/login/init"),
    ("POST", "/auth/login/code"),
    ("POST", "/auth/login/social"),
    ("POST", "/auth/login/oidc/credentials"),
    ("POST", "/auth/registration"),
    ("POST", "/auth/registration/init"),
    ("POST", "/auth/registration/social"),
    ("POST", "/auth/registration/enduser"),
    ("PUT", "/auth/registration/code"),
    ("POST", "/auth/recover/user"),
    ("POST", "/auth/recover/user/init"),
    ("POST", "/auth/recover/user/code"),
    ("POST", "/auth/credentials/init"),
    ("POST", "/auth/credentials/code/init"),
    ("POST", "/auth/credentials/code/verify"),
    ("POST", "/auth/tokens"),
    ("PUT", "/auth/logout"),
    ("POST", "/networks/EthereumSepolia/call-function"),
    ("POST", "/networks/read-contract"),
    ("POST", "/swaps/quotes"),
    ("POST", "/payouts/quote"),
    ("POST", "/payins/quote"),
    ("POST", "/allocations/get-0fns-quote"),
    ("POST", "/wallets/wa-1/canton/ledger-api"),
    ("GET", "/wallets"),
    ("GET", "/auth/credentials"),
    ("GET", "/anything/new"),
    ("HEAD", "/wallets"),
    ("OPTIONS", "/wallets"),
]
SIGNED = [
    ("POST", "/auth/login/delegated"),
    ("POST", "/auth/registration/delegated"),
    ("POST", "/auth/recover/user/delegated"),
    ("POST", "/auth/credentials"),
    ("POST", "/auth/credentials/code"),
    ("PUT", "/auth/credentials/activate"),
    ("PUT", "/auth/credentials/deactivate"),
    ("DELETE", "/auth/credentials/uuid"),
    ("POST", "/auth/service-accounts"),
    ("POST", "/auth/pats"),
    ("PUT", "/auth/registration"),
    ("POST", "/auth/registration/code"),
    ("POST", "/auth/logout"),
    ("PUT", "/auth/tokens"),
    ("DELETE", "/auth/tokens"),
    ("POST", "/wallets"),
    ("POST", "/wallets/wa-1/transfers"),
    ("DELETE", "/wallets/wa-1/tags"),
    ("PUT", "/wallets/wa-1/canton/ledger-api"),
    ("POST", "/wallets/wa-1/x/canton/ledger-api"),
    ("POST", "/networks/a/b/call-function"),
    ("POST", "/swaps"),
    ("POST", "/payouts"),
    ("POST", "/allocations"),
    ("POST", "/keys/key-1/signatures"),
    ("POST", "/v2/policies"),
    ("POST", "/anything/new"),
    ("PUT", "/anything/new"),
    ("DELETE", "/anything/new"),
    ("PATCH", "/anything/new"),
    ("POST", "/x/auth/login"),
    ("POST", "/auth/loginx"),
    ("POST", "/auth/action/x"),
    ("POST", "/wallets/auth%2Ftokens"),
]


@pytest.mark.parametrize(("method", "path"), UNSIGNED)
def test_read_or_documented_exception_is_not_signed(method: str, path: str) -> None:
    assert not needs_user_action(method, path)


@pytest.mark.parametrize(("method", "path"), SIGNED)
def test_everything_else_is_signed(method: str, path: str) -> None:
    assert needs_user_action(method, path)
