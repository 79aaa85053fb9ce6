"""The client of Cloud KMS: where it goes, as whom, and how it is asked."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import grpc
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import FailedPrecondition, GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud.kms_v1 import KeyManagementServiceClient

from dfns_signers.plugin import (
    Attempt,
    Closing,
    Failure,
    KeyStore,
    RequestLimits,
    errors,
    explained,
    quoted,
)
from dfns_signers_gcp_kms.algorithms import algorithm_name, require_supported
from dfns_signers_gcp_kms.credentials import load_credentials
from dfns_signers_gcp_kms.errors import (
    PROVIDER,
    KeyGeneratingError,
    explain,
    explain_state,
    state_in,
)
from dfns_signers_gcp_kms.names import is_version
from dfns_signers_gcp_kms.options import GcpKmsConnection

T = TypeVar("T")

# Seconds between two looks at a version that is being generated.
_PAUSE: Final = 1.0

# A proxy has no business between this machine and itself.
_PLAINTEXT: Final = (("grpc.enable_http_proxy", 0),)


class Answer(NamedTuple):
    """What Cloud KMS answered, and how many attempts it took."""

    message: Any
    attempts: int


class GcpKms(Closing):
    """Cloud KMS as it is asked with one client; safe to use from several threads.

    Args:
        client: Google's client, over gRPC.
        limits: how often a request is sent, and how long an operation may take.
        generation_timeout: seconds to wait for a version that is still being generated.
        owns_client: whether ``close`` closes the client.
        sleep: waits for some seconds.
        clock: seconds, monotonic.

    Raises:
        SigningKeyError: this process was forked from one that used gRPC.
    """

    def __init__(
        self,
        client: KeyManagementServiceClient,
        limits: RequestLimits | None = None,
        *,
        generation_timeout: float = 60.0,
        owns_client: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        refuse_forked_process()
        _first_process[:] = [os.getpid()]
        self._client = client
        self._limits = limits or RequestLimits()
        self._generation_timeout = generation_timeout
        self._owns_client = owns_client
        self._sleep = sleep
        self._clock = clock

    def ask(
        self,
        task: str,
        method: str,
        fields: Mapping[str, Any],
        *,
        check: Callable[[Any], None] = lambda _message: None,
        repeat: bool = True,
    ) -> Answer:
        """Send a request, and again where that may help.

        Args:
            task: what is done to which key, such as ``sign with the key …``.
            method: method of Google's client, such as ``asymmetric_sign``.
            fields: the request.
            check: raises IntegrityError for an answer to be discarded.
            repeat: False for a request that must not be carried out twice.

        Raises:
            KeyGeneratingError: the version is still being generated.
            SigningKeyError: Cloud KMS refused or failed otherwise.
        """

        def send(attempt: Attempt) -> Answer:
            end = self._clock() + (attempt.remaining or 0)
            try:
                message = self._send(method, fields, end)
            except FailedPrecondition as error:
                if not is_version(fields.get("name", "")):
                    raise
                failure = self._refusal(fields["name"], error, end)
                with explained(task, provider=PROVIDER, explain=lambda _: failure, attempt=attempt):
                    raise
            check(message)
            return Answer(message, attempt.number)

        store = KeyStore(
            PROVIDER,
            partial(explain, method),
            max_attempts=self._limits.max_attempts,
            timeout=self._limits.timeout,
            sleep=self._sleep,
            clock=self._clock,
        )
        return store.ask(task, send, repeat=repeat)

    def once_generated(self, look: Callable[[], T]) -> T:
        """What ``look`` returns, tried again while the version is being generated.

        Raises:
            KeyGeneratingError: it still is after ``generation_timeout``.
        """
        end = self._clock() + self._generation_timeout
        while True:
            try:
                return look()
            except KeyGeneratingError:
                left = end - self._clock()
                if left <= 0:
                    raise
                self._sleep(min(left, _PAUSE))

    def close(self) -> None:
        """Close the client, if it is owned."""
        if self._owns_client:
            transport: Any = self._client.transport
            transport.close()

    def _send(self, method: str, fields: Mapping[str, Any], end: float) -> Any:
        # gRPC has one deadline for connecting and answering.
        longest = self._limits.connect_timeout + self._limits.read_timeout
        # retry=None: Google's own retries would multiply ours.
        return getattr(self._client, method)(
            request=dict(fields),
            retry=None,
            timeout=min(longest, max(end - self._clock(), 0.001)),
        )

    def _refusal(self, name: str, error: FailedPrecondition, end: float) -> Failure:
        """Why a version was refused: as the error says, else as the version itself does."""
        state, unread = state_in(error), None
        if state is None:
            try:
                version = self._send("get_crypto_key_version", {"name": name}, end)
            except (GoogleAPIError, GoogleAuthError) as failed:
                unread = failed  # signing needs no permission to read it
            else:
                state = version.state.name
                if state == "ENABLED":
                    require_supported(algorithm_name(version), name)
        return explain_state(name, error, state, unread)


def connect(options: GcpKmsConnection) -> GcpKms:
    """Make a client as the options say; nothing is sent yet.

    Raises:
        ConfigurationError: the credentials file is unusable, or Google's client refuses its
            environment.
        KeyAccessError: there are no credentials.
        SigningKeyError: this process was forked from one that used gRPC.
    """
    refuse_forked_process()
    return GcpKms(
        _client(options),
        options,
        generation_timeout=options.generation_timeout,
        owns_client=True,
    )


# The process in which a client was first used, if one was; a forked child inherits it.
_first_process: Final[list[int]] = []


def refuse_forked_process() -> None:
    """Refuse to go on in a child that was forked after gRPC had been used in its parent.

    There a call may hang for good, whatever its deadline: it depends on what gRPC's threads did in
    the moment of the fork, and on GRPC_ENABLE_FORK_SUPPORT.

    Raises:
        SigningKeyError: this is such a process.
    """
    if _first_process and os.getpid() not in _first_process:
        raise errors.SigningKeyError(
            f"cannot use {PROVIDER} in this process: it was forked from one that had used a key of "
            "gcp-kms, and gRPC may hang after such a fork. Open keys after the fork only, in each "
            "worker, or start the workers with 'spawn' or 'forkserver'"
        )


def _client(options: GcpKmsConnection) -> KeyManagementServiceClient:
    if options.is_plaintext:
        channel = grpc.insecure_channel(str(options.target), options=_PLAINTEXT)
        transport: Any = KeyManagementServiceClient.get_transport_class("grpc")
        return KeyManagementServiceClient(transport=transport(channel=channel))
    credentials = load_credentials(options)
    try:
        return KeyManagementServiceClient(
            credentials=credentials, client_options=ClientOptions(api_endpoint=options.target)
        )
    except (GoogleAuthError, ValueError) as error:
        raise errors.ConfigurationError(
            f"cannot set up {PROVIDER}: {quoted(str(error))}; check the environment variables "
            "GOOGLE_API_… and GOOGLE_CLOUD_…, and the credentials"
        ) from error
