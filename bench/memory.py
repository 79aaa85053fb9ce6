"""Resident memory of a service that signs: after its first signature, and after many."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from bench.cold_starts import STORES, Store, environment
from bench.measuring import Effort, Spread, child
from bench.table import Goal, Row

_OURS: Final = """
from dfns_signers import load_signer
signer = load_signer()
sign = lambda: signer.sign({"challenge": "Y2g"})
"""
_WITHOUT_CONFIGURATION: Final = """
import os
from dfns_signers import KeySigner, PemKey
signer = KeySigner(PemKey.from_file(os.environ["BENCH_PATH"]), credential_id="cr-1")
sign = lambda: signer.sign({"challenge": "Y2g"})
"""
_LIBRARIES: Final = """
import pydantic
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
ec.generate_private_key(ec.SECP256R1()).sign(b"", ec.ECDSA(hashes.SHA256()))
class Model(pydantic.BaseModel):
    number: int
"""
_MEASURED: Final = """
import json
from bench.resident import resident
def after(signatures):
    for _ in range(signatures):
        sign()
    return resident() / 1e6
print(json.dumps([after(1), after(500), after({signatures})]))
"""
_SIGNATURES: Final = {"PEM": 100_000}
_OF_A_SERVER: Final = 20_000


def rows(effort: Effort) -> Iterator[Row]:
    """For each key store, what is resident above the bare SDK, and what is added later."""
    for store in STORES:
        signatures = effort.of(_SIGNATURES.get(store.name, _OF_A_SERVER))
        subjects = {"ours": _OURS, "bare SDK": store.bare, **_beside(store)}
        with store.signers() as signers:
            variables = environment(store, signers)
            taken = {
                name: _megabytes(code, signatures, variables) for name, code in subjects.items()
            }
        bare = taken["bare SDK"][0]
        above = {name: _exactly(figures[0] - bare) for name, figures in taken.items()}
        yield Row(
            f"memory of a signing service, {store.name}",
            above.pop("ours"),
            "MB above the bare SDK",
            f"a process each; resident after the first signature; the bare SDK has {bare:.1f} MB",
            {name: spread for name, spread in above.items() if name != "bare SDK"},
            Goal(at_most=10),
        )
        growth = {name: _exactly(figures[2] - figures[1]) for name, figures in taken.items()}
        yield Row(
            f"memory of a signing service, growth, {store.name}",
            growth["ours"],
            "MB",
            f"the same processes; by {signatures:,} signatures after the first 500",
            {"bare SDK": growth["bare SDK"]},
            Goal(at_most=0.5),
        )


def _beside(store: Store) -> dict[str, str]:
    """The bare SDK with the libraries that ours needs; for a PEM, ours without configuration."""
    subjects = {"with cryptography and pydantic": _LIBRARIES + store.bare}
    if store.name == "PEM":
        subjects["KeySigner and PemKey"] = _WITHOUT_CONFIGURATION
    return subjects


def _megabytes(code: str, signatures: int, variables: dict[str, str]) -> list[float]:
    measured = code + _MEASURED.replace("{signatures}", str(signatures))
    figures: list[float] = json.loads(child(["-c", measured], environment=variables).output)
    return figures


def _exactly(figure: float) -> Spread:
    return Spread(figure, figure, figure)
