"""A signing key in Cloud KMS."""

from __future__ import annotations

import os
from functools import partial
from typing import Final, NoReturn

from google.api_core.exceptions import Cancelled, FailedPrecondition, GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from dfns_signers.errors import ConfigurationError, SigningKeyError
from dfns_signers.signing_key import KeyResponse, SigningKey
from dfns_signers_gcp_kms.clients import Clients
from dfns_signers_gcp_kms.errors import translate
from dfns_signers_gcp_kms.integrity import check_signature
from dfns_signers_gcp_kms.names import VERSION_FORM, is_crypto_key, is_version, split
from dfns_signers_gcp_kms.opening import find_state, open_version, refuse_crypto_key, refused_state
from dfns_signers_gcp_kms.retrying import RetryPolicy, ask
from dfns_signers_gcp_kms.steps import Steps, arun, run

_DEFAULT_POLICY: Final = RetryPolicy()


class GcpKmsKey(SigningKey):
    """A version of an asymmetric signing key in Google Cloud KMS.

    Its public key is read when it is made, which proves that the version can be used. Safe to use
    from several threads and event loops. It does not survive a fork: gRPC does not.

    Args:
        clients: Google's clients; ``Clients(client)`` wraps one of yours, which stays yours to
            close. Clients over gRPC only: those over REST raise errors of another library.
        key_version: full name, ``projects/…/cryptoKeyVersions/NUMBER``.
        policy: how long operations may take, and how often they are repeated.

    Raises:
        ConfigurationError: the name is that of a crypto key, or is no name.
        UnsupportedKeyError: Dfns does not accept signatures with its algorithm.
        KeyStateError: the version is not enabled.
        SigningKeyError: it is missing, denied or unreachable.
    """

    def __init__(
        self, clients: Clients, key_version: str, *, policy: RetryPolicy = _DEFAULT_POLICY
    ) -> None:
        if not is_version(key_version):
            _refuse_name(clients, key_version, policy)
        opened = run(open_version(key_version, policy), clients.client, policy.sleep)
        super().__init__(opened.public_key, reference=key_version)
        self._clients = clients
        self._policy = policy
        self._kms_algorithm = opened.algorithm
        self._pid = os.getpid()

    def _sign(self, message: bytes) -> KeyResponse:
        return run(self._signing(message), self._clients.client, self._policy.sleep)

    async def _asign(self, message: bytes) -> KeyResponse:
        if self._clients.new_async_client is None:
            return await super()._asign(message)
        steps = self._signing(message)
        client = self._clients.for_running_loop(self._clients.new_async_client)
        return await arun(steps, client)

    def _signing(self, message: bytes) -> Steps[KeyResponse]:
        name, algorithm = self.reference, self._kms_algorithm
        if os.getpid() != self._pid:
            raise SigningKeyError(
                f"the key {name} was opened before this process was forked, and gRPC does not "
                "survive a fork: open it in the new process"
            )
        end = self._policy.end()
        try:
            answer = yield from ask(
                self._policy,
                "asymmetric_sign",
                {"name": name, **algorithm.parameters(message)},
                partial(check_signature, name, algorithm.verified),
                end,
            )
        except FailedPrecondition as error:
            found = yield from find_state(name, error, self._policy, end)
            raise refused_state(name, found, error) from error
        except Cancelled as error:
            if self._clients.closed:
                raise SigningKeyError(
                    f"the key {name} is closed, and was so before it had signed; open it again"
                ) from error
            raise translate(error, "asymmetric_sign", name) from error
        except (GoogleAPIError, GoogleAuthError) as error:
            raise translate(error, "asymmetric_sign", name) from error
        return KeyResponse(
            answer.message.signature, key_version=split(name)[1], attempts=answer.attempts
        )

    def _close(self) -> None:
        self._clients.close()

    async def _aclose(self) -> None:
        await self._clients.aclose()


def _refuse_name(clients: Clients, name: str, policy: RetryPolicy) -> NoReturn:
    if is_crypto_key(name):
        run(refuse_crypto_key(name, policy), clients.client, policy.sleep)
    raise ConfigurationError(f"{name!r} is no name of a key version; expected {VERSION_FORM}")
