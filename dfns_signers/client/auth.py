"""``dfns.auth``: the typed calls on identities, end users, and what they sign with."""

from __future__ import annotations

from dfns_signers.client.end_users import EndUsers
from dfns_signers.client.endpoint import ClientT_co, Resource
from dfns_signers.client.identities import Credentials, PersonalAccessTokens, ServiceAccounts


class Auth(Resource[ClientT_co]):
    """Identities and what they sign with."""

    def __init__(self, client: ClientT_co) -> None:
        super().__init__(client)
        self.service_accounts = ServiceAccounts(client)
        self.personal_access_tokens = PersonalAccessTokens(client)
        self.credentials = Credentials(client)
        self.end_users = EndUsers(client)
