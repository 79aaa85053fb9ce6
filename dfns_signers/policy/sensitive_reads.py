"""Reads that ``reads = true`` does not allow: a rule names them, or they are refused."""

from __future__ import annotations

from typing import Final

from dfns_signers.operations import Operation

SENSITIVE_READS: Final = (
    "GET /auth/action/logs",
    "GET /auth/action/logs/{id}",
    "GET /auth/apps",
    "GET /auth/apps/{appId}",
    "GET /auth/credentials",
    "GET /auth/pats",
    "GET /auth/pats/{tokenId}",
    "GET /auth/service-accounts",
    "GET /auth/service-accounts/{serviceAccountId}",
    "GET /keys/{keyId}/signatures",
    "GET /keys/{keyId}/signatures/{signatureId}",
    "GET /v2/policy-approvals",
    "GET /v2/policy-approvals/{approvalId}",
    "GET /wallets/{walletId}/signatures",
    "GET /wallets/{walletId}/signatures/{signatureId}",
    "GET /webhooks",
    "GET /webhooks/{webhookId}",
    "GET /webhooks/{webhookId}/events",
    "GET /webhooks/{webhookId}/events/{webhookEventId}",
)
"""Their answers have, or may have, tokens and user actions, credentials, who did what, and
signatures that others asked for, each of which is good for what it signs. Events of a webhook
repeat such signatures, and its address may have a token."""


def is_sensitive(operation: Operation) -> bool:
    """Whether a read must be named by a rule."""
    return str(operation) in SENSITIVE_READS
