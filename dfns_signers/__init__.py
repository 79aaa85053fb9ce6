"""Sign Dfns API requests with keys that never leave a KMS.

What most programs need is importable from here, and is imported when it is first used: signing with
a PEM loads no HTTP library, and no backend loads before it is selected. Errors are in
``dfns_signers.errors``; what a plugin needs is in ``signing_key``, ``hooks`` and ``backends``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dfns_signers.algorithms import Algorithm
    from dfns_signers.backends.pem.key import PemKey
    from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
    from dfns_signers.client.delegated import AsyncDelegatedDfnsClient, DelegatedDfnsClient
    from dfns_signers.client.pending import PendingAction
    from dfns_signers.client.results import ChangeRequest
    from dfns_signers.config.assembly import load_signer
    from dfns_signers.errors import DfnsSignersError
    from dfns_signers.hooks import hookimpl
    from dfns_signers.signer import KeySigner, Signer
    from dfns_signers.signing_key import SigningKey
    from dfns_signers.user_action.httpx_auth import UserActionAuth

__all__ = [
    "Algorithm",
    "AsyncDelegatedDfnsClient",
    "AsyncDfnsClient",
    "ChangeRequest",
    "DelegatedDfnsClient",
    "DfnsClient",
    "DfnsSignersError",
    "KeySigner",
    "PemKey",
    "PendingAction",
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
    "ChangeRequest": "client.results",
    "DelegatedDfnsClient": "client.delegated",
    "DfnsClient": "client.client",
    "DfnsSignersError": "errors",
    "KeySigner": "signer",
    "PemKey": "backends.pem.key",
    "PendingAction": "client.pending",
    "Signer": "signer",
    "SigningKey": "signing_key",
    "UserActionAuth": "user_action.httpx_auth",
    "hookimpl": "hooks",
    "load_signer": "config.assembly",
}


if TYPE_CHECKING:
    __version__: str
else:
    # Hidden from type checkers: they would take any name for importable.

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
