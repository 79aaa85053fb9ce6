"""What importing the package takes, as part of what importing the official SDK takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.measuring import Effort, children_in_turns
from bench.table import Goal, Row

_SUBJECTS: Final = {
    "dfns-sdk": ["-c", "import dfns_sdk"],
    "cryptography": [
        "-c",
        (
            "from cryptography.hazmat.primitives import hashes, serialization\n"
            "from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils"
        ),
    ],
    "dfns_signers": ["-c", "import dfns_signers"],
    "KeySigner and PemKey": ["-c", "from dfns_signers import KeySigner, PemKey"],
    "load_signer": ["-c", "from dfns_signers import load_signer"],
    "DfnsClient": ["-c", "from dfns_signers import DfnsClient"],
}


def rows(effort: Effort) -> Iterator[Row]:
    """Two rows: the part, and the times."""
    rounds = effort.of(21)
    samples = children_in_turns(_SUBJECTS, rounds=rounds, above_python=True)
    how = f"{rounds} processes each, above a Python that does nothing"
    yield Row(
        "import, KeySigner and PemKey",
        samples.speed("dfns-sdk", beside="KeySigner and PemKey"),
        "of dfns-sdk",
        how,
        {"cryptography": samples.speed("dfns-sdk", beside="cryptography")},
        Goal(at_most=0.27),
    )
    yield Row(
        "import, KeySigner and PemKey, time",
        samples.of("KeySigner and PemKey", factor=1e3),
        "ms CPU",
        how,
        {
            name: samples.of(name, factor=1e3)
            for name in _SUBJECTS
            if name != "KeySigner and PemKey"
        },
    )
