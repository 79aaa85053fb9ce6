"""Which permission each operation of the API requires.

The names are those of the types of the official SDKs. Which operation one stands for is read from
the names: nothing public says it for all of them. An operation that none stands for by its name
requires none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dfns_signers.operations import Operation, declared_enum, find_operation, shapes_of

_WALLET: Final = "/wallets/{walletId}"
_KEY: Final = "/keys/{keyId}"
_PERMISSION: Final = "/permissions/{permissionId}"
_POLICY: Final = "/v2/policies/{policyId}"
_ACCOUNT: Final = "/auth/service-accounts/{serviceAccountId}"
_USER: Final = "/auth/users/{userId}"
_EXCHANGE: Final = "/exchanges/{exchangeId}"
_EXCHANGE_ACCOUNT: Final = f"{_EXCHANGE}/accounts/{{accountId}}"
_STAKE: Final = "/staking/stakes/{stakeId}"
_VALIDATORS: Final = "/networks/{network}/validators"
_VAULT: Final = "/vaults/{vaultId}"
_WEBHOOK: Final = "/webhooks/{webhookId}"
_STORE: Final = "/key-stores/{storeId}"

_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Agreements:Acceptance:Create": ("POST /agreements/{agreementId}/accept",),
    "Agreements:Acceptance:Read": ("GET /agreements/latest-unaccepted",),
    "Allocations:Create": ("POST /allocations",),
    "Allocations:Read": (
        "GET /allocations",
        "GET /allocations/info",
        "GET /allocations/{allocationId}",
        "GET /allocations/{allocationId}/actions",
    ),
    "Allocations:Update": ("POST /allocations/{allocationId}/actions",),
    "Auth:Apps:Read": ("GET /auth/apps", "GET /auth/apps/{appId}"),
    "Auth:Login:Delegated": ("POST /auth/login/delegated",),
    "Auth:Logs:Read": ("GET /auth/action/logs", "GET /auth/action/logs/{id}"),
    "Auth:Pats:Create": ("POST /auth/pats",),
    "Auth:Recover:Delegated": ("POST /auth/recover/user/delegated",),
    "Auth:Register:Delegated": ("POST /auth/registration/delegated",),
    "Auth:ServiceAccounts:Activate": (f"PUT {_ACCOUNT}/activate",),
    "Auth:ServiceAccounts:Create": ("POST /auth/service-accounts",),
    "Auth:ServiceAccounts:Deactivate": (f"PUT {_ACCOUNT}/deactivate",),
    "Auth:ServiceAccounts:Delete": (f"DELETE {_ACCOUNT}",),
    "Auth:ServiceAccounts:Read": ("GET /auth/service-accounts", f"GET {_ACCOUNT}"),
    "Auth:ServiceAccounts:Update": (f"PUT {_ACCOUNT}",),
    "Auth:Users:Activate": (f"PUT {_USER}/activate",),
    "Auth:Users:Create": ("POST /auth/users", "POST /auth/users/invite"),
    "Auth:Users:Deactivate": (f"PUT {_USER}/deactivate",),
    "Auth:Users:Delete": (f"DELETE {_USER}",),
    "Auth:Users:Read": ("GET /auth/users", f"GET {_USER}"),
    "Auth:Users:Update": (f"PUT {_USER}",),
    "Exchanges:Create": ("POST /exchanges",),
    "Exchanges:Delete": (f"DELETE {_EXCHANGE}",),
    "Exchanges:Deposits:Create": (f"POST {_EXCHANGE_ACCOUNT}/deposits",),
    "Exchanges:Read": (
        "GET /exchanges",
        f"GET {_EXCHANGE}",
        f"GET {_EXCHANGE}/accounts",
        f"GET {_EXCHANGE_ACCOUNT}/assets",
        f"GET {_EXCHANGE_ACCOUNT}/assets/{{asset}}/withdrawal-networks",
    ),
    "Exchanges:Withdrawals:Create": (f"POST {_EXCHANGE_ACCOUNT}/withdrawals",),
    "FeeSponsors:Create": ("POST /fee-sponsors",),
    "FeeSponsors:Delete": ("DELETE /fee-sponsors/{feeSponsorId}",),
    "FeeSponsors:Read": (
        "GET /fee-sponsors",
        "GET /fee-sponsors/{feeSponsorId}",
        "GET /fee-sponsors/{feeSponsorId}/fees",
    ),
    "FeeSponsors:Update": (
        "PUT /fee-sponsors/{feeSponsorId}/activate",
        "PUT /fee-sponsors/{feeSponsorId}/deactivate",
    ),
    "KeyStores:OnchainSignatures:Create": (
        f"POST {_STORE}/onchain-sign/input",
        f"POST {_STORE}/onchain-sign/output",
    ),
    "KeyStores:ProofOfControl:Create": (
        f"POST {_STORE}/proof-of-control/input",
        f"POST {_STORE}/proof-of-control/output",
    ),
    "KeyStores:Read": ("GET /key-stores",),
    "Keys:Create": ("POST /keys",),
    "Keys:Delegate": (f"POST {_KEY}/delegate", f"POST {_WALLET}/delegate"),
    "Keys:Delete": (f"DELETE {_KEY}",),
    "Keys:Derive": (f"POST {_KEY}/derive",),
    "Keys:Export": (f"POST {_KEY}/export", f"POST {_WALLET}/export"),
    "Keys:Import": ("POST /keys/import", "POST /wallets/import"),
    "Keys:Read": ("GET /keys", f"GET {_KEY}"),
    "Keys:Signatures:Create": (f"POST {_KEY}/signatures",),
    "Keys:Signatures:Read": (f"GET {_KEY}/signatures", f"GET {_KEY}/signatures/{{signatureId}}"),
    "Keys:Update": (f"PUT {_KEY}",),
    "Networks:CantonValidators:Create": (f"POST {_VALIDATORS}",),
    "Networks:CantonValidators:Delete": (f"DELETE {_VALIDATORS}/{{validatorId}}",),
    "Networks:CantonValidators:Read": (
        f"GET {_VALIDATORS}",
        f"GET {_VALIDATORS}/{{validatorId}}",
    ),
    "Networks:CantonValidators:Update": (f"PUT {_VALIDATORS}/{{validatorId}}",),
    "Payouts:Create": ("POST /payouts",),
    "Payouts:Read": ("GET /payouts", "GET /payouts/{payoutId}"),
    "Payouts:Write": ("POST /payouts/{payoutId}/action",),
    # There is no name for the deletion, which archives for good.
    "Permissions:Archive": (f"PUT {_PERMISSION}/archive", f"DELETE {_PERMISSION}"),
    "Permissions:Assign": (f"POST {_PERMISSION}/assignments",),
    "Permissions:Assignments:Read": (f"GET {_PERMISSION}/assignments",),
    "Permissions:Create": ("POST /permissions",),
    "Permissions:Read": ("GET /permissions", f"GET {_PERMISSION}"),
    "Permissions:Revoke": (f"DELETE {_PERMISSION}/assignments/{{assignmentId}}",),
    "Permissions:Update": (f"PUT {_PERMISSION}",),
    "Policies:Approvals:Approve": ("POST /v2/policy-approvals/{approvalId}/decisions",),
    "Policies:Approvals:Read": (
        "GET /v2/policy-approvals",
        "GET /v2/policy-approvals/{approvalId}",
    ),
    "Policies:Archive": (f"DELETE {_POLICY}",),
    "Policies:Create": ("POST /v2/policies",),
    "Policies:Read": ("GET /v2/policies", f"GET {_POLICY}"),
    "Policies:Update": (f"PUT {_POLICY}",),
    "Signers:ListSigners": ("GET /signers",),
    "Stakes:Create": ("POST /staking/stakes",),
    "Stakes:Read": (
        "GET /staking/stakes",
        f"GET {_STAKE}",
        f"GET {_STAKE}/actions",
        f"GET {_STAKE}/rewards",
    ),
    "Stakes:Update": (f"POST {_STAKE}/actions",),
    "Swaps:Create": ("POST /swaps",),
    "Swaps:Read": ("GET /swaps", "GET /swaps/{swapId}", "GET /swaps/quotes/{quoteId}"),
    "Vaults:Create": ("POST /vaults",),
    "Vaults:Read": (
        "GET /vaults",
        f"GET {_VAULT}",
        f"GET {_VAULT}/assets",
        f"GET {_VAULT}/balances",
        f"GET {_VAULT}/history",
        f"GET {_VAULT}/locks",
        f"GET {_VAULT}/locks/{{lockId}}",
        f"GET {_VAULT}/quarantines",
        f"GET {_VAULT}/quarantines/{{quarantineId}}",
    ),
    "Vaults:Tags:Add": (f"PUT {_VAULT}/tags",),
    "Vaults:Tags:Delete": (f"DELETE {_VAULT}/tags",),
    "Vaults:Update": (f"PUT {_VAULT}",),
    "Wallets:Create": ("POST /wallets", "POST /wallets/bulk-create"),
    "Wallets:GenerateSignature": (f"POST {_WALLET}/signatures",),
    "Wallets:Offers:Read": (f"GET {_WALLET}/offers", f"GET {_WALLET}/offers/{{offerId}}"),
    "Wallets:Offers:Settle": (
        f"PUT {_WALLET}/offers/{{offerId}}/accept",
        f"PUT {_WALLET}/offers/{{offerId}}/reject",
    ),
    "Wallets:Read": (
        "GET /wallets",
        "GET /wallets/all/history",
        "GET /wallets/bulk-create",
        "GET /wallets/bulk-create/{jobId}",
        "GET /wallets/bulk-create/{jobId}/wallets",
        f"GET {_WALLET}",
        f"GET {_WALLET}/assets",
        f"GET {_WALLET}/history",
        f"GET {_WALLET}/nfts",
    ),
    "Wallets:Tags:Add": (f"PUT {_WALLET}/tags",),
    "Wallets:Tags:Delete": (f"DELETE {_WALLET}/tags",),
    "Wallets:Transactions:Abort": (f"PUT {_WALLET}/transactions/{{transactionId}}/abort",),
    "Wallets:Transactions:Create": (
        f"POST {_WALLET}/transactions",
        f"POST {_WALLET}/transactions/{{transactionId}}/cancel",
        f"POST {_WALLET}/transactions/{{transactionId}}/speed-up",
    ),
    "Wallets:Transactions:Read": (
        f"GET {_WALLET}/transactions",
        f"GET {_WALLET}/transactions/{{transactionId}}",
    ),
    "Wallets:Transfers:Abort": (f"PUT {_WALLET}/transfers/{{transferId}}/abort",),
    "Wallets:Transfers:Create": (
        f"POST {_WALLET}/transfers",
        f"POST {_WALLET}/transfers/{{transferId}}/cancel",
        f"POST {_WALLET}/transfers/{{transferId}}/speed-up",
    ),
    "Wallets:Transfers:Read": (
        f"GET {_WALLET}/transfers",
        f"GET {_WALLET}/transfers/{{transferId}}",
    ),
    "Wallets:Update": (f"PUT {_WALLET}",),
    "Webhooks:Create": ("POST /webhooks",),
    "Webhooks:Delete": (f"DELETE {_WEBHOOK}",),
    "Webhooks:Events:Read": (
        f"GET {_WEBHOOK}/events",
        f"GET {_WEBHOOK}/events/{{webhookEventId}}",
    ),
    "Webhooks:Ping": (f"POST {_WEBHOOK}/ping",),
    "Webhooks:Read": ("GET /webhooks", f"GET {_WEBHOOK}"),
    "Webhooks:Update": (f"PUT {_WEBHOOK}",),
}
_REQUIRED: Final = {
    operation: name for name, operations in _OPERATIONS.items() for operation in operations
}


def required_permission(operation: Operation) -> str | None:
    """The name of the permission that a caller of the operation must have; None if none."""
    return _REQUIRED.get(str(operation))


def permission_names() -> tuple[str, ...]:
    """Every name that a permission may have in its ``operations``."""
    creation = find_operation("POST", "/permissions")
    if creation is None:
        raise LookupError("the table has no operation POST /permissions")
    declared = shapes_of(creation).body or {}
    return declared_enum(declared["properties"]["operations"]["items"]["$enum"])
