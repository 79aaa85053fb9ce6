"""Whether a server answers, and may serve requests: sealed, standby, version."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from dfns_signers.plugin import Attempt, Finding, errors
from dfns_signers_vault_transit.checks import Check
from dfns_signers_vault_transit.client import build_client
from dfns_signers_vault_transit.options import VaultTransitConnection
from dfns_signers_vault_transit.vault import Vault

_PATH: Final = "/v1/sys/health"

# Its answer is the same in every state; only the status differs, unless it is asked for.
_STATES: Final = ("standby", "performancestandby", "drsecondary", "sealed", "uninit")
_ALWAYS_200: Final = {f"{state}code": "200" for state in _STATES}


class Health(BaseModel):
    """What a server says of itself to everybody."""

    model_config = ConfigDict(hide_input_in_errors=True)

    initialized: bool
    sealed: bool
    standby: bool = False
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+_-]{1,40}$")] = "of an unknown version"


def examine_server(options: VaultTransitConnection) -> Finding:
    """Ask the server for its state; without a token, and in no namespace."""
    check = Check("key store")
    client = build_client(options.model_copy(update={"namespace": None}))
    with contextlib.closing(client.adapter):
        vault = Vault(client, limits=options)
        where = f"Vault at {vault.location}"
        purpose = vault.purpose("ask the server for its state", f"allow {_PATH}", "sys")
        try:
            health = vault.request(purpose, _read)
        except (errors.KeyAccessError, errors.KeyNotFoundError) as error:
            return check.warning(str(error), f"have what stands before the server allow {_PATH}")
        except errors.DfnsSignersError as error:
            return check.failure(error, "see that it runs, and check 'address': 'vault status'")
    if not health.initialized:
        return check.failure(f"{where} is not initialised", "run 'vault operator init'")
    if health.sealed:
        return check.failure(f"{where} is sealed", "run 'vault operator unseal'")
    standby = ", as a standby, which asks the active node" if health.standby else ""
    return check.passed(f"{where} answers, version {health.version}{standby}")


def _read(client: Any, _: Attempt) -> Health:
    return Health.model_validate(client.adapter.get(_PATH, params=_ALWAYS_200))
