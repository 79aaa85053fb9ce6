"""Whom the server takes the caller for, and how long the token lives."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from dfns_signers.plugin import Attempt, Finding, Sealed, quoted
from dfns_signers_vault_transit.answers import without
from dfns_signers_vault_transit.checks import Check
from dfns_signers_vault_transit.errors import missing_policy
from dfns_signers_vault_transit.logins import AuthOptions, TokenAuth
from dfns_signers_vault_transit.policies import LOOKUP_SELF
from dfns_signers_vault_transit.vault import Vault

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR


class Token(BaseModel):
    """What the server says of a token, without the token.

    Attributes:
        seconds: how long it lives; 0 where it does not end.
        identity_policies: those of the entity and its groups.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    display_name: str = ""
    policies: list[str] | None = None
    identity_policies: list[str] | None = None
    seconds: float = Field(alias="ttl", ge=0, allow_inf_nan=False)
    renewable: bool = False

    def __str__(self) -> str:
        policies = [*(self.policies or ()), *(self.identity_policies or ())]
        life = f"ends in {self.seconds:,.0f} s" if self.seconds else "does not end"
        renewal = "is renewable" if self.renewable else "is not renewable"
        return quoted(
            f"{self.display_name or 'no name'}, with the policies {', '.join(policies)}; the token "
            f"{life} and {renewal}"
        )


def examine_token(vault: Vault, login: AuthOptions) -> Finding:
    """Log in, and look the token up.

    Raises:
        DfnsSignersError: the login failed, or the token is refused.
    """
    check = Check("key store")
    remedy = missing_policy(LOOKUP_SELF)
    token, said = vault.request(vault.purpose(login.task, remedy, login.mount), _look_up)
    whom = f"Vault at {vault.location} takes the caller for {said}"
    if isinstance(login, TokenAuth) and 0 < token.seconds < (_HOUR if token.renewable else _DAY):
        return check.warning(
            whom,
            f"replace the token in {login.token.origin}, or renew it: 'vault token renew'; another "
            "auth.method logs in by itself",
        )
    return check.passed(whom)


def _look_up(client: Any, _: Attempt) -> tuple[Token, str]:
    answer = Sealed(client.auth.token.lookup_self())
    token = Token.model_validate(answer.open()["data"])
    return token, without([client.token], str(token))
