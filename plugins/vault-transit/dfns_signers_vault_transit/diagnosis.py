"""Examine the way to a key: the server, the token, the key, the permissions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from dfns_signers.plugin import Attempt, Finding, Severity, errors
from dfns_signers_vault_transit.checks import Check
from dfns_signers_vault_transit.errors import missing_policy, rule
from dfns_signers_vault_transit.key_state import examine_key
from dfns_signers_vault_transit.options import VaultTransitOptions
from dfns_signers_vault_transit.policies import CAPABILITIES_SELF, LOOKUP_SELF, needed
from dfns_signers_vault_transit.server_health import examine_server
from dfns_signers_vault_transit.token_state import examine_token
from dfns_signers_vault_transit.vault import Vault, connect

_LOOK: Final = "'vault secrets list' shows what is mounted, 'vault list {mount}/keys' the keys"


def diagnose(options: VaultTransitOptions) -> Iterator[Finding]:
    """The findings, each as soon as it is there; the last one is the failure that ends them."""
    server = examine_server(options)
    yield server
    if server.severity is not Severity.FAILURE:
        with contextlib.closing(connect(options)) as vault:
            yield from _examine(vault, options)


def _examine(vault: Vault, options: VaultTransitOptions) -> Iterator[Finding]:
    denied, looked_up = None, Check("key store")
    try:
        yield examine_token(vault, options.auth)
    except errors.KeyAccessError as error:
        denied = error
    except errors.DfnsSignersError as error:
        yield looked_up.failure(error, options.auth.remedy)
        return
    read = Check("key state")
    try:
        yield from examine_key(vault, options)
    except errors.KeyAccessError as error:
        # A token that may read the key lives, though it may not look itself up.
        if denied is not None:
            yield looked_up.failure(denied, options.auth.remedy)
            return
        yield read.failure(error, _give([rule(f"{options.mount}/keys/{options.key}", "read")]))
    except errors.DfnsSignersError as error:
        yield read.failure(error, _LOOK.format(mount=options.mount))
        return
    if denied is not None:
        yield looked_up.warning(str(denied), _give([LOOKUP_SELF]))
    yield _examine_permissions(vault, options)


def _examine_permissions(vault: Vault, options: VaultTransitOptions) -> Finding:
    check = Check("permissions")
    paths = list(needed(options))

    def read(client: Any, _: Attempt) -> Mapping[str, list[str]]:
        data = client.sys.get_capabilities(paths)["data"]
        return {path: list(data[path]) for path in paths}

    remedy = missing_policy(CAPABILITIES_SELF)
    purpose = vault.purpose("ask what the token may do", remedy, "sys")
    try:
        missing = _missing(options, vault.request(purpose, read))
    except errors.KeyAccessError as error:
        return check.warning(str(error), _give([CAPABILITIES_SELF]))
    except errors.DfnsSignersError as error:
        return check.failure(error, "try again")
    if missing:
        return check.failure("the token lacks: " + ", ".join(missing), _give(missing))
    # A policy may also restrict parameters, which a signature alone shows.
    return check.passed(f"the token may open the key and sign with it: {', '.join(paths)}")


def _missing(options: VaultTransitOptions, found: Mapping[str, list[str]]) -> list[str]:
    """The rules that a token with these capabilities lacks."""
    return [
        rule(path, capability)
        for path, capability in needed(options).items()
        if not {capability, "root"} & set(found.get(path, ()))
    ]


def _give(rules: Iterable[str]) -> str:
    return "add to a policy of the token, by 'vault policy write': " + "\n".join(rules)
