"""What rules say of a challenge of which nobody knows the call."""

from __future__ import annotations

from dfns_signers.errors import PolicyRefusedError


def unknown_call(credential_id: str) -> PolicyRefusedError:
    """The refusal where only the challenge is known, as within the official SDK."""
    return PolicyRefusedError(
        f"only the challenge is known to the credential {credential_id}, and its rules are about "
        "calls: sign with DfnsClient or UserActionAuth of this package, or have 'dfns-signers "
        "gateway' sign for the official SDK, or take the rules out of the profile that it uses",
        check="unknown-call",
    )
