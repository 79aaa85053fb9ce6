"""Every member of every body of a signed call, and every query parameter, is checked."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest

from tests.emulator.caller import Caller, refused
from tests.emulator.conftest import calling
from tests.emulator.flows import Json, put
from tests.emulator.keys import pem, private_key

ADDRESS = "0x" + "ab" * 20
TOKEN = {"name": "n", "publicKey": pem(private_key("p256")), "permissionId": "p", "externalId": "e"}
DERIVED = {"deriveFrom": {"keyId": "k", "path": "p"}, "storeId": "s"}
DELEGATED = {"delegateTo": "us-1", "delayDelegation": True}
EXPORT = {
    "encryptionKey": "k",
    "supportedSchemes": [{"protocol": "CGGMP21", "curve": "secp256k1"}],
}
IMPORT = {
    "name": "n",
    "curve": "secp256k1",
    "protocol": "CGGMP21",
    "minSigners": 3,
    "encryptedKeyShares": [{"signerId": "s", "encryptedKeyShare": "x"}],
}
SIGNATURE = {"network": "Base", "blockchainKind": "Evm", "externalId": "e"}
TRAVEL_RULE = {
    "kind": "Notabene",
    "beneficiaryVASPdid": "did",
    "beneficiaryProof": {},
    "originator": {},
    "beneficiary": {},
}
TRANSFER = {"externalId": "e", "feeSponsorId": "f", "travelRule": TRAVEL_RULE}
FAST = {**TRANSFER, "priority": "Fast"}
CALL = {"to": ADDRESS, "value": "0x1", "data": "0x"}
EVM = {**CALL, "nonce": 1, "gasLimit": "21000", "externalId": "e"}
GROUP = {
    "name": "n",
    "quorum": 1,
    "approvers": {"userId": {"in": ["us-1"]}},
    "initiatorCanApprove": True,
    "serviceAccountsCanApprove": True,
}
POLICY = {
    "name": "n",
    "activityKind": "Wallets:Sign",
    "rule": {
        "kind": "TransactionAmountVelocity",
        "configuration": {"limit": 1, "currency": "USD", "timeframe": 1},
    },
    "filters": {"walletId": {"in": ["w"]}, "walletTags": {"hasAny": ["t"], "hasAll": ["t"]}},
    "action": {"kind": "RequestApproval", "approvalGroups": [GROUP], "autoRejectTimeout": 1},
}

# Complete bodies: with every member that the operation knows.
BODIES: list[tuple[str, str, Json]] = [
    (
        "POST",
        "/wallets",
        {
            "network": "Base",
            "name": "n",
            "signingKey": {"scheme": "ECDSA", "curve": "secp256k1", **DERIVED},
            "externalId": "e",
            "tags": ["t"],
            **DELEGATED,
        },
    ),
    ("POST", "/wallets", {"network": "Base", "signingKey": {"id": "key-1"}}),
    ("PUT", "/wallets/x", {"name": "n", "externalId": "e"}),
    ("PUT", "/wallets/x/tags", {"tags": ["t"]}),
    ("DELETE", "/wallets/x/tags", {"tags": ["t"]}),
    (
        "POST",
        "/wallets/x/transfers",
        {
            "kind": "Native",
            "to": ADDRESS,
            "amount": "1",
            "memo": "",
            "createDestinationAccount": True,
            "offer": True,
            "expiresAt": "x",
            "useDurableNonce": True,
            **FAST,
        },
    ),
    (
        "POST",
        "/wallets/x/transfers",
        {"kind": "Erc20", "contract": ADDRESS, "to": ADDRESS, "amount": "1", **FAST},
    ),
    (
        "POST",
        "/wallets/x/transfers",
        {"kind": "Erc721", "contract": ADDRESS, "to": ADDRESS, "tokenId": "1", **FAST},
    ),
    (
        "POST",
        "/wallets/x/transfers",
        {"kind": "Asa", "assetId": "1", "to": "a", "amount": "1", "memo": "m", **TRANSFER},
    ),
    (
        "POST",
        "/wallets/x/transactions",
        {"kind": "Transaction", "transaction": "0x02", "externalId": "e"},
    ),
    ("POST", "/wallets/x/transactions", {"kind": "Transaction", "transaction": {}}),
    ("POST", "/wallets/x/transactions", {"kind": "Evm", **EVM}),
    (
        "POST",
        "/wallets/x/transactions",
        {"kind": "Eip1559", "maxFeePerGas": "2", "maxPriorityFeePerGas": "1", **EVM},
    ),
    (
        "POST",
        "/wallets/x/transactions",
        {
            "kind": "UserOperations",
            "userOperations": [CALL],
            "feeSponsorId": "f",
            "externalId": "e",
        },
    ),
    ("POST", "/wallets/x/transactions", {"kind": "Psbt", "psbt": "p", "externalId": "e"}),
    (
        "POST",
        "/wallets/x/transactions",
        {"kind": "SignDocDirect", "signDoc": "s", "externalId": "e"},
    ),
    (
        "POST",
        "/wallets/x/transactions",
        {"kind": "FunctionCall", "call": {}, "externalId": "e"},
    ),
    ("POST", "/wallets/x/transactions", {"kind": "TransferPreapproval", "externalId": "e"}),
    (
        "POST",
        "/wallets/x/transactions",
        {
            "kind": "CreateSolanaNonceAccounts",
            "nonceAuthority": "a",
            "count": 1,
            "priority": "Slow",
            "externalId": "e",
        },
    ),
    (
        "POST",
        "/keys",
        {
            "scheme": "ECDSA",
            "curve": "secp256k1",
            "name": "n",
            "masterKey": True,
            **DERIVED,
            **DELEGATED,
        },
    ),
    ("PUT", "/keys/x", {"name": "n"}),
    ("POST", "/keys/x/delegate", {"delegateTo": "us-1"}),
    ("POST", "/keys/x/derive", {"domain": "d", "seed": "s"}),
    ("POST", "/keys/x/export", EXPORT),
    ("POST", "/keys/import", {**IMPORT, "masterKey": True}),
    ("POST", "/wallets/import", {**IMPORT, "network": "Base", "externalId": "e"}),
    ("POST", "/wallets/x/export", EXPORT),
    ("POST", "/wallets/x/delegate", {"userId": "us-1"}),
    ("POST", "/keys/x/signatures", {"kind": "Hash", "hash": "00" * 32, **SIGNATURE}),
    ("POST", "/keys/x/signatures", {"kind": "Message", "message": "00", **SIGNATURE}),
    ("POST", "/v2/policies", POLICY),
    ("PUT", "/v2/policies/x", POLICY),
    ("POST", "/v2/policy-approvals/x/decisions", {"value": "Denied", "reason": "r"}),
    ("POST", "/permissions", {"name": "n", "operations": ["Wallets:Read"]}),
    ("PUT", "/permissions/x", {"name": "n", "operations": ["Wallets:Read"]}),
    ("PUT", "/permissions/x/archive", {"isArchived": True}),
    ("POST", "/permissions/x/assignments", {"identityId": "us-1"}),
    (
        "POST",
        "/auth/users",
        {"email": "e", "kind": "CustomerEmployee", "externalId": "e", "isSSORequired": True},
    ),
    ("PUT", "/auth/users/x", {"isSSORequired": True}),
    ("POST", "/auth/service-accounts", {**TOKEN, "daysValid": 1, "federatedIdentity": {}}),
    ("PUT", "/auth/service-accounts/x", {"name": "n", "externalId": "e"}),
    ("PUT", "/auth/service-accounts/x/deactivate", {"force": True}),
    ("POST", "/auth/pats", {**TOKEN, "daysValid": 1}),
    ("POST", "/auth/pats", {**TOKEN, "secondsValid": 1}),
    ("PUT", "/auth/pats/x", {"name": "n", "externalId": "e"}),
    ("PUT", "/auth/credentials/activate", {"credentialUuid": "u"}),
    ("PUT", "/auth/credentials/deactivate", {"credentialUuid": "u"}),
]


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with calling() as shared:
        yield shared


def paths(body: Json, where: str = "") -> Iterator[str]:
    """The dotted path of every member."""
    for name, value in body.items():
        yield f"{where}{name}"
        if isinstance(value, dict):
            yield from paths(value, f"{where}{name}.")


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
def test_complete_body_is_accepted(caller: Caller, method: str, path: str, body: Json) -> None:
    response = caller.call(method, path, body)

    # The entities that some of them name are unknown.
    assert response.status_code in {200, 404}, response.text


@pytest.mark.parametrize(
    ("method", "path", "body", "member"),
    [
        (method, path, body, member)
        for method, path, body in BODIES
        for member in paths(body)
        if member != "publicKey"
    ],
)
def test_member_of_another_kind_is_refused_by_name(
    caller: Caller, method: str, path: str, body: Json, member: str
) -> None:
    wrong = deepcopy(body)
    put(member, lambda value: {} if isinstance(value, list) else [])(wrong)

    error = refused(caller.call(method, path, wrong), 400, "field.value")

    assert error["details"]["field"] == member


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
def test_unknown_member_is_refused_by_name(
    caller: Caller, method: str, path: str, body: Json
) -> None:
    error = refused(caller.call(method, path, {**body, "note": "x"}), 400, "field.unknown")

    assert error["details"]["field"] == "note"


@pytest.mark.parametrize(
    ("target", "parameter"),
    [
        ("/wallets?owner=", "owner"),
        ("/wallets?ownerId=", "ownerId"),
        ("/wallets?ownerUsername=", "ownerUsername"),
        ("/wallets?limit=", "limit"),
        ("/wallets?paginationToken=", "paginationToken"),
        ("/keys?owner=", "owner"),
        ("/wallets/x/assets?netWorth=false", "netWorth"),
        ("/wallets/x/history?direction=Up", "direction"),
        ("/wallets/x/history?kind=Native", "kind"),
        ("/wallets/all/history?startTime=2026-01-01&endTime=never", "endTime"),
        ("/networks/fees?network=Tron", "network"),
        ("/v2/policies?status=", "status"),
        ("/v2/policies?status=Paused", "status"),
    ],
)
def test_query_parameter_that_is_not_valid_is_refused_by_name(
    caller: Caller, target: str, parameter: str
) -> None:
    error = refused(caller.get(target), 400, "field.value")

    assert error["details"]["field"] == f"query.{parameter}"
