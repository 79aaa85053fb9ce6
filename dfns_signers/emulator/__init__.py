"""A local Dfns API over real HTTP, for tests and for trying things out.

It is a second reading of the Dfns documentation, independent of the rest of this package: it
shares no code with the signing side, and refuses what the documentation does not allow.
"""

from dfns_signers.emulator.access.identities import Identity
from dfns_signers.emulator.access.permissions import FULL_ACCESS
from dfns_signers.emulator.emulator import Emulator
from dfns_signers.emulator.requests.messages import ReceivedRequest
from dfns_signers.emulator.serving.listening import parse_listen, serve_forever

__all__ = [
    "FULL_ACCESS",
    "Emulator",
    "Identity",
    "ReceivedRequest",
    "parse_listen",
    "serve_forever",
]
