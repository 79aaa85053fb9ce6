"""The smallest policy for one key."""

from __future__ import annotations

from typing import Final

from dfns_signers.plugin import Policy
from dfns_signers_vault_transit.errors import rule
from dfns_signers_vault_transit.options import VaultTransitOptions

LOOKUP_SELF: Final = rule("auth/token/lookup-self", "read")
CAPABILITIES_SELF: Final = rule("sys/capabilities-self", "update")
_RENEW_SELF: Final = rule("auth/token/renew-self", "update")


def needed(options: VaultTransitOptions) -> dict[str, str]:
    """What opening the key and signing with it takes: a capability for each path."""
    return {
        f"{options.mount}/keys/{options.key}": "read",
        f"{options.mount}/sign/{options.key}": "update",
    }


def signing_policy(options: VaultTransitOptions) -> Policy:
    """What one key takes, and what a token needs to look at itself and to be renewed."""
    rules = [rule(path, capability) for path, capability in needed(options).items()]
    own = "# Of the token itself, which the policy 'default' allows as well:"
    return Policy(
        "Vault policy (HCL)",
        "\n".join([*rules, own, LOOKUP_SELF, _RENEW_SELF, CAPABILITIES_SELF]) + "\n",
    )
