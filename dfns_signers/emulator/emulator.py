"""The emulator as a library: start it, set it up, see what it received."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dfns_signers.emulator.access.identities import Identity
from dfns_signers.emulator.access.permissions import add_identity
from dfns_signers.emulator.controls import Controls
from dfns_signers.emulator.credentials.credentials import CredentialKind, register
from dfns_signers.emulator.credentials.relying_party import RelyingParty
from dfns_signers.emulator.progress import ProgressKind
from dfns_signers.emulator.requests.messages import ReceivedRequest
from dfns_signers.emulator.service import Fault, RateLimit, Service, fault_answer
from dfns_signers.emulator.serving.starting import LocalServer, ServerSettings
from dfns_signers.emulator.state import MAXIMUM_LIMIT, State
from dfns_signers.errors import ConfigurationError


class Emulator(Controls, LocalServer):
    """A Dfns API on this machine, with one organisation and, at first, one user.

    Use it as a context manager, or call `start` and `stop`. One emulator starts once.

    Args:
        host: a loopback address.
        port: 0 is any free port.
        token: bearer token of the first user; generated if None.
        credentials: public keys (PEM) of the first user by credential id.
        exact_payloads: whether an announced payload must equal the body byte for byte; if not,
            they are compared as JSON, as the service does for the official SDKs.
        challenge_lifetime: seconds until a challenge expires.
        user_action_lifetime: seconds until a user action expires.
        rate_limit: requests allowed in a minute; None allows any number.
        clock: the time in seconds since 1970.
        page_size: entities on a page when a request names no limit.
        progress: what moves statuses: "reads" of the entity, or "manual" calls of `progress`.
        enforce_permissions: whether callers may do only what is assigned to them.
        tls: whether to speak https; clients must trust the certificate in `ca_file`.
        cors_origins: of pages that may call the API from a browser.
        rp_id: domain that passkeys belong to.
        origins: of pages that may use passkeys; by default those of the domain and below it.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        token: str | None = None,
        credentials: Mapping[str, str | bytes] | None = None,
        exact_payloads: bool = False,
        challenge_lifetime: float = 300.0,
        user_action_lifetime: float = 300.0,
        rate_limit: int | None = None,
        clock: Callable[[], float] = time.time,
        page_size: int = 50,
        progress: ProgressKind = "reads",
        enforce_permissions: bool = True,
        tls: bool = False,
        cors_origins: Sequence[str] = (),
        rp_id: str = "localhost",
        origins: Sequence[str] = (),
    ) -> None:
        _require(challenge_lifetime > 0, "challenge_lifetime must be above 0")
        _require(user_action_lifetime > 0, "user_action_lifetime must be above 0")
        _require(rate_limit is None or rate_limit > 0, "rate_limit must be above 0, or None")
        _require(1 <= page_size <= MAXIMUM_LIMIT, f"page_size must be 1 to {MAXIMUM_LIMIT}")
        _require(progress in {"reads", "manual"}, 'progress must be "reads" or "manual"')
        settings = ServerSettings.of(host, port, tls=tls, cors_origins=cors_origins)
        self._state = State(
            clock=clock,
            exact_payloads=exact_payloads,
            challenge_lifetime=challenge_lifetime,
            user_action_lifetime=user_action_lifetime,
            page_size=page_size,
            enforce_permissions=enforce_permissions,
            relying_party=RelyingParty(rp_id, tuple(origins)),
        )
        self._state.progress.at_reads = progress == "reads"
        super().__init__(Service(self._state, RateLimit(rate_limit, clock)), settings)
        self._first = self.add_identity("emulator-user", token=token, credentials=credentials)

    @property
    def auth_token(self) -> str:
        """Bearer token of the first user."""
        return self._first.token

    @property
    def user_id(self) -> str:
        """Id of the first user."""
        return self._first.user_id

    @property
    def org_id(self) -> str:
        """Id of the organisation."""
        return self._state.directory.org_id

    @property
    def settings(self) -> dict[str, Any]:
        """What a client must know, the token included."""
        with self._service.lock:
            credentials = self._state.directory.credentials_of(self.user_id)
            return {
                "url": self.url,
                "auth_token": self.auth_token,
                "user_id": self.user_id,
                "org_id": self.org_id,
                "credential_ids": [credential.credential_id for credential in credentials],
                "auth_token_jwt": self._first.token_jwt,
                **({"ca_file": str(self.ca_file)} if self.ca_file else {}),
            }

    @property
    def exact_payloads(self) -> bool:
        """Whether an announced payload must equal the body byte for byte."""
        return self._state.exact_payloads

    @exact_payloads.setter
    def exact_payloads(self, value: bool) -> None:
        self._state.exact_payloads = value

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The last 10,000 requests or 32 MiB of them, newest last, without tokens."""
        with self._service.lock:
            return tuple(exchange.request for exchange in self._service.requests)

    def register(
        self,
        public_key_pem: str | bytes,
        credential_id: str | None = None,
        *,
        kind: CredentialKind = "Key",
        requires_second_factor: bool = False,
    ) -> str:
        """Register a credential of the first user, and return its id.

        Raises:
            ConfigurationError: the key is not acceptable, or the id is in use.
        """
        with self._service.lock:
            return register(
                self._state.directory,
                self.user_id,
                public_key_pem,
                credential_id,
                kind=kind,
                requires_second_factor=requires_second_factor,
            )

    enrol = register

    def disable_credential(self, credential_id: str) -> None:
        """Refuse a credential from now on.

        Raises:
            ConfigurationError: no such credential.
        """
        with self._service.lock:
            credential = self._state.directory.credentials.get(credential_id)
            if credential is None:
                raise ConfigurationError(f"the emulator has no credential {credential_id}")
            credential.is_active = False

    def add_identity(
        self,
        name: str,
        *,
        service_account: bool = False,
        token: str | None = None,
        credentials: Mapping[str, str | bytes] | None = None,
        permissions: Sequence[str] | None = None,
    ) -> Identity:
        """Add a user or a service account with credentials and permissions (None: all) of its own.

        Raises:
            ConfigurationError: a key, the token or a permission is not acceptable, or is in use.
        """
        with self._service.lock:
            return add_identity(
                self._state,
                name,
                service_account=service_account,
                token=token,
                credentials=credentials or {},
                permissions=permissions,
            )

    def disable_identity(self, user_id: str) -> None:
        """Refuse every token of a user from now on, personal access tokens included.

        Raises:
            ConfigurationError: no such user.
        """
        with self._service.lock:
            user = self._state.directory.users.get(user_id)
            if user is None:
                raise ConfigurationError(f"the emulator has no user {user_id}")
            user.is_active = False

    def require_approval(self, method: str, path_template: str) -> None:
        """Answer 202 with a change request to this operation from now on.

        Nothing changes until ``approvals.decide`` approves it.

        Raises:
            ConfigurationError: there is no such operation, or it takes no user action.
        """
        route = self._service.router.named(method, path_template)
        _require(
            route.takes_user_action,
            f"{method} {path_template} takes no user action, so no policy applies to it",
        )
        with self._service.lock:
            self._service.approvals.append(route)

    def fail_next(
        self,
        method: str,
        path_template: str,
        status: int = 503,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> None:
        """Answer the next requests of this operation with a failure; they have no effect.

        Args:
            method: HTTP method.
            path_template: such as ``/wallets/{walletId}``.
            status: HTTP status code.
            times: how many requests fail.
            headers: response headers, such as ``Retry-After``.
            body: strings or bytes as they are, anything else as JSON; None for the error
                envelope.

        Raises:
            ConfigurationError: there is no such operation, or an argument cannot be used.
        """
        _require(times > 0, f"times must be 1 or more, and is {times}")
        route = self._service.router.named(method, path_template)
        answer = fault_answer(status, headers or {}, body)
        with self._service.lock:
            self._service.faults.append(Fault(route, answer, times))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigurationError(message)
