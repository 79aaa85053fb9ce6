"""Challenges, which are redeemed once."""

from __future__ import annotations

from typing import TypeVar

from dfns_signers.emulator.ledger import Ledger, UnredeemableError
from dfns_signers.emulator.refusals import bad_request

T = TypeVar("T")


def redeem_challenge(ledger: Ledger[T], identifier: str, holder: str) -> T:
    """What the challenge was issued for; refused with 400 in the words of the Dfns docs.

    Any attempt uses the challenge up, also one that fails.
    """
    try:
        return ledger.redeem(identifier, holder)
    except UnredeemableError as error:
        raise bad_request(
            f"challenge.{error.reason}",
            f"Challenge token is not valid. {error.message.capitalize()}.",
        ) from None
