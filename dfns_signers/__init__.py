"""Sign Dfns API requests with keys that never leave a KMS.

Everything public is importable from here, and is imported when it is first used: signing with a
PEM loads no HTTP library, and no backend loads before it is selected.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dfns_signers.algorithms import Algorithm
    from dfns_signers.backends.pem.key import PemKey
    from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
    from dfns_signers.client.delegated import AsyncDelegatedDfnsClient, DelegatedDfnsClient
    from dfns_signers.config.assembly import load_signer
    from dfns_signers.errors import DfnsSignersError
    from dfns_signers.hooks import hookimpl
    from dfns_signers.signer import KeySigner, Signer
    from dfns_signers.signing_key import SigningKey
    from dfns_signers.user_action.auth import UserActionAuth

__all__ = [
    "Algorithm",
    "AsyncDelegatedDfnsClient",
    "AsyncDfnsClient",
    "DelegatedDfnsClient",
    "DfnsClient",
    "DfnsSignersError",
    "KeySigner",
    "PemKey",
    "Signer",
    "SigningKey",
    "UserActionAuth",
    "hookimpl",
    "load_signer",
]

_HOMES = {
    "Algorithm": "algorithms",
    "AsyncDelegatedDfnsClient": "client.delegated",
    "AsyncDfnsClient": "client.client",
    "DelegatedDfnsClient": "client.delegated",
    "DfnsClient": "client.client",
    "DfnsSignersError": "errors",
    "KeySigner": "signer",
    "PemKey": "backends.pem.key",
    "Signer": "signer",
    "SigningKey": "signing_key",
    "UserActionAuth": "user_action.auth",
    "hookimpl": "hooks",
    "load_signer": "config.assembly",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("dfns-signers")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
