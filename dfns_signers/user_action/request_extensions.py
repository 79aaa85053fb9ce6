"""Extensions of httpx requests by which this package says more of a call than is sent."""

from __future__ import annotations

from typing import Final

SIGNED_EXTENSION: Final = "dfns_signed"
"""Overrides whether a call is signed: True or False."""

PROGRESS_EXTENSION: Final = "dfns_signers.progress"
"""The ``Progress`` of a call by a client of this package."""

CALLER_EXTENSION: Final = "dfns_signers.caller"
"""Name of who asked a gateway for the call."""

CALL_ID_EXTENSION: Final = "dfns_signers.call_id"
"""Id that the call has in the audit trail."""
