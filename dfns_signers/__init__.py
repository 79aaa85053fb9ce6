"""Sign Dfns API requests with keys that never leave a KMS.

What most programs need is importable from here, and is imported when it is first used: signing with
a PEM loads no HTTP library, and no backend loads before it is selected. Errors are in
``dfns_signers.errors``; what a plugin needs is in ``signing_key``, ``hooks`` and ``backends``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    # Each "as" says that the name is meant to be imported from here.
    from dfns_signers.algorithms import Algorithm as Algorithm
    from dfns_signers.backends.pem.key import PemKey as PemKey
    from dfns_signers.client.client import AsyncDfnsClient as AsyncDfnsClient
    from dfns_signers.client.client import DfnsClient as DfnsClient
    from dfns_signers.client.delegated import AsyncDelegatedDfnsClient as AsyncDelegatedDfnsClient
    from dfns_signers.client.delegated import DelegatedDfnsClient as DelegatedDfnsClient
    from dfns_signers.client.pending import PendingAction as PendingAction
    from dfns_signers.client.results import ChangeRequest as ChangeRequest
    from dfns_signers.config.assembly import load_signer as load_signer
    from dfns_signers.errors import DfnsSignersError as DfnsSignersError
    from dfns_signers.hook_registration import hookimpl as hookimpl
    from dfns_signers.rate_limits.rate_limit import RateLimit as RateLimit
    from dfns_signers.signer import KeySigner as KeySigner
    from dfns_signers.signer import Signer as Signer
    from dfns_signers.signing_key import SigningKey as SigningKey
    from dfns_signers.user_action.httpx_auth import UserActionAuth as UserActionAuth

    __all__: list[str]
else:
    # Hidden from type checkers: they would take any name for importable.
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
        "RateLimit": "rate_limits.rate_limit",
        "Signer": "signer",
        "SigningKey": "signing_key",
        "UserActionAuth": "user_action.httpx_auth",
        "hookimpl": "hook_registration",
        "load_signer": "config.assembly",
    }
    __all__ = list(_HOMES)

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
