"""The client of Cloud KMS: where it goes, as whom, and how it is asked."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from math import inf
from typing import Any, Final

import grpc
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import FailedPrecondition, GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.cloud.kms_v1 import AsymmetricSignRequest, KeyManagementServiceClient
from google.protobuf.message import DecodeError

from dfns_signers.plugin import (
    Attempt,
    Closing,
    Failure,
    KeyStore,
    RequestLimits,
    WorkerThreads,
    deadlines,
    errors,
    quoted,
)
from dfns_signers_gcp_kms.algorithms import algorithm_name, enum_name, require_supported
from dfns_signers_gcp_kms.begun_calls import SigningCalls, answer_of
from dfns_signers_gcp_kms.errors import PROVIDER, explain, explain_state, refusal_behind, state_in
from dfns_signers_gcp_kms.names import VERSION
from dfns_signers_gcp_kms.options import GcpKmsConnection

# Google's client takes messages of any length by default. Cloud KMS sends some kilobytes at most,
# and a page of a list some hundred.
_BOUNDS: Final = (
    ("grpc.max_receive_message_length", 1024 * 1024),
    ("grpc.max_metadata_size", 8 * 1024),
    ("grpc.absolute_max_metadata_size", 16 * 1024),
)
# A proxy has no business between this machine and itself.
_PLAINTEXT: Final = (*_BOUNDS, ("grpc.enable_http_proxy", 0))


class GcpKms(KeyStore, Closing):
    """Cloud KMS as it is asked with one client; safe to use from several threads.

    Args:
        client: Google's client, over gRPC.
        limits: how often a request is sent, and how long an operation may take.
        generation_timeout: seconds to wait for a version that is still being generated.
        owns_client: whether ``close`` closes the client.
        signing_calls: begins signatures on the channel of the client; without it each takes a
            thread.
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
        signing_calls: SigningCalls | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        _refuse_forked_process()
        _first_process.add(os.getpid())
        limits = limits or RequestLimits()
        super().__init__(
            PROVIDER,
            explain,
            max_attempts=limits.max_attempts,
            timeout=limits.timeout,
            sleep=sleep,
            clock=clock,
        )
        self.generation_timeout = generation_timeout
        self._client = client
        self._limits = limits
        self._owns_client = owns_client
        self._signing_calls = signing_calls
        self._threads = WorkerThreads()

    def call(
        self,
        task: str,
        method: str,
        request: Any,
        *,
        read: Callable[[Any, Attempt], Any] = lambda answer, _: answer,
        repeat: bool = True,
        begun: Any = None,
    ) -> Any:
        """Send a request, and again where that may help.

        Args:
            task: what is done to which key, such as ``sign with the key …``.
            method: method of Google's client, such as ``asymmetric_sign``.
            request: a message of Google's, or its fields by name.
            read: what to return for an answer; raises IntegrityError for one to be discarded.
            repeat: False for a request that must not be carried out twice.
            begun: grpc's future of the first attempt, if that is over.

        Raises:
            KeyPendingError: the version is still being generated.
            SigningKeyError: Cloud KMS refused or failed otherwise, or this process was forked from
                one that used gRPC.
        """
        _refuse_forked_process()
        end = inf

        def send(attempt: Attempt) -> Any:
            nonlocal end
            end = inf if attempt.remaining is None else self._clock() + attempt.remaining
            call = begun if attempt.number == 1 else None
            return read(self._send(method, request, end, call), attempt)

        def explain_it(error: Exception) -> Failure | None:
            name = request.get("name", "") if isinstance(request, Mapping) else request.name
            if isinstance(error, FailedPrecondition) and VERSION.fullmatch(name):
                return self._refusal(name, error, end)
            return explain(error, method)

        return self.ask(task, send, repeat=repeat, explain=explain_it)

    def begin(
        self,
        task: str,
        request: Any,
        *,
        read: Callable[[Any, Attempt], Any],
    ) -> Future[Any] | None:
        """Like ``call`` of ``asymmetric_sign``, without waiting; None where that takes a thread.

        Requests and answers are messages in protobuf.

        An attempt that fails is explained and repeated in a worker thread. What was begun is not
        cancelled: the future goes on until it is done.

        Raises:
            SigningKeyError: this process was forked from one that used gRPC.
        """
        _refuse_forked_process()
        if self._signing_calls is None:
            return None
        seconds = deadlines.remaining()
        seconds = self._limits.timeout if seconds is None else min(seconds, self._limits.timeout)
        end = self._clock() + seconds
        try:
            call = self._signing_calls.begin(request, self._longest(end))
        except ValueError:  # of a closed channel; what calls it again explains that
            return None
        signing: Future[Any] = Future()
        signing.set_running_or_notify_cancel()
        context = copy_context()

        def repeat() -> None:
            try:
                with deadlines.within(max(end - self._clock(), 0.0)):
                    wrapped = AsymmetricSignRequest.wrap(request)
                    signed = self.call(task, "asymmetric_sign", wrapped, read=read, begun=call)
            except BaseException as error:  # noqa: BLE001  # raised by those that wait
                signing.set_exception(error)
            else:
                signing.set_result(signed)

        def finish(_: object) -> None:
            """Runs in grpc's thread, which must not wait."""
            try:
                signed = read(call.result(), Attempt(1, self.max_attempts))
            except Exception:  # noqa: BLE001  # it comes again there
                try:
                    context.run(self._threads.submit, repeat)
                except errors.DfnsSignersError as error:
                    signing.set_exception(error)
            else:
                signing.set_result(signed)

        call.add_done_callback(finish)
        return signing

    def close(self) -> None:
        """Close the client, if it is owned."""
        if self._owns_client:
            transport: Any = self._client.transport
            transport.close()

    def _longest(self, end: float) -> float:
        # gRPC has one deadline for connecting and answering.
        longest = self._limits.connect_timeout + self._limits.read_timeout
        return min(longest, max(end - self._clock(), 0.001))

    def _send(self, method: str, request: Any, end: float, begun: Any = None) -> Any:
        send = getattr(self._client, method)
        sent = dict(request) if isinstance(request, Mapping) else request
        try:
            if begun is not None:
                return answer_of(begun)
            # retry=None: Google's own retries would multiply ours.
            return send(request=sent, retry=None, timeout=self._longest(end))
        except (DecodeError, ValueError) as error:
            raise refusal_behind(error) from error

    def _refusal(self, name: str, error: FailedPrecondition, end: float) -> Failure:
        """Why a version was refused: as the error says, else as the version itself does."""
        state = state_in(error)
        if state is None:
            try:
                version = self._send("get_crypto_key_version", {"name": name}, end)
            except (GoogleAPIError, GoogleAuthError, ValueError) as unread:
                # Signing needs no permission to read it.
                return explain_state(name, error, None, unread)
            state = enum_name(version, "state")
            if state == "ENABLED":
                require_supported(algorithm_name(version), name)
        return explain_state(name, error, state)


def connect(options: GcpKmsConnection, credentials: Any = None) -> GcpKms:
    """Make a client as the options say; nothing is sent yet.

    Args:
        options: where it goes, and as whom.
        credentials: of google-auth; those that the options choose if None.

    Raises:
        ConfigurationError: the credentials file is unusable, or Google's client refuses its
            environment.
        KeyAccessError: there are no credentials.
        SigningKeyError: this process was forked from one that used gRPC.
    """
    _refuse_forked_process()
    client = _client(options, credentials)
    transport: Any = client.transport
    return GcpKms(
        client,
        options,
        generation_timeout=options.generation_timeout,
        owns_client=True,
        signing_calls=SigningCalls(transport.grpc_channel),
    )


# The process in which a client was first used, if one was; a forked child inherits it.
_first_process: Final[set[int]] = set()


def _refuse_forked_process() -> None:
    """Refuse to go on in a child that was forked after gRPC had been used in its parent.

    There a call may hang for good, whatever its deadline: it depends on what gRPC's threads did in
    the moment of the fork, and on GRPC_ENABLE_FORK_SUPPORT.
    """
    if _first_process and os.getpid() not in _first_process:
        raise errors.SigningKeyError(
            f"cannot use {PROVIDER} in this process: it was forked from one that had used a key of "
            "gcp-kms, and gRPC may hang after such a fork. Open keys after the fork only, in each "
            "worker, or start the workers with 'spawn' or 'forkserver'"
        )


_Transport: Final[Any] = KeyManagementServiceClient.get_transport_class("grpc")


def _bounded_channel(host: str, **settings: Any) -> grpc.Channel:
    """What Google's transport would make, but for its options."""
    channel: grpc.Channel = _Transport.create_channel(host, **{**settings, "options": _BOUNDS})
    return channel


def _client(options: GcpKmsConnection, credentials: Any) -> KeyManagementServiceClient:
    if options.is_plaintext:
        channel = grpc.insecure_channel(str(options.target), options=_PLAINTEXT)
        return KeyManagementServiceClient(transport=_Transport(channel=channel))
    from dfns_signers_gcp_kms.credentials import load_credentials  # noqa: PLC0415  # google-auth's

    credentials = credentials or load_credentials(options)
    try:
        return KeyManagementServiceClient(
            credentials=credentials,
            client_options=ClientOptions(api_endpoint=options.target),
            transport=partial(_Transport, channel=_bounded_channel),
        )
    except (GoogleAuthError, ValueError) as error:
        raise errors.ConfigurationError(
            f"cannot set up {PROVIDER}: {quoted(str(error))}; check the environment variables "
            "GOOGLE_API_… and GOOGLE_CLOUD_…, and the credentials"
        ) from error
