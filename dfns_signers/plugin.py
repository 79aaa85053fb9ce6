"""The one import of an author of a backend, a guard or an observer.

The smallest backend is a model of options, a key and a class that opens it; an entry point of the
group ``dfns_signers`` names that class. What a key store raises becomes errors of this package by
``KeyStore.ask`` or ``explained``, from a table of ``Meaning``.
"""

from pydantic import Field

from dfns_signers import deadlines, errors, forks
from dfns_signers.addresses import check_service_url, is_loopback
from dfns_signers.algorithms import SUPPORTED, Algorithm, PublicKey, algorithm_of
from dfns_signers.announced_call import AnnouncedCall, CallAnswer
from dfns_signers.backends.backend import Backend
from dfns_signers.backends.diagnosis import DiagnosesKeys, Finding, Policy, Severity
from dfns_signers.backends.management import KeyDescription, ManagementOptions, ManagesKeys
from dfns_signers.backends.options import (
    BackendOptions,
    ConfigPath,
    RequestLimits,
    RsaBits,
    ServiceUrl,
    StrictModel,
)
from dfns_signers.bounded_json import bounded_json, check_nesting
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.encodings import ecdsa_der_from_raw
from dfns_signers.hook_registration import hookimpl
from dfns_signers.hooks import SigningRequest
from dfns_signers.key_store import (
    Attempt,
    Failure,
    KeyPendingError,
    KeyStore,
    Meaning,
    explained,
    quoted,
)
from dfns_signers.public_keys import load_public_key
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret
from dfns_signers.signing_key import Evidence, KeyResponse, SigningKey
from dfns_signers.worker_threads import WorkerThreads, outcome

__all__ = [
    "SUPPORTED",
    "Algorithm",
    "AnnouncedCall",
    "AsyncClosing",
    "Attempt",
    "Backend",
    "BackendOptions",
    "CallAnswer",
    "Closing",
    "ConfigPath",
    "DiagnosesKeys",
    "Evidence",
    "Failure",
    "Field",
    "Finding",
    "KeyDescription",
    "KeyPendingError",
    "KeyResponse",
    "KeyStore",
    "ManagementOptions",
    "ManagesKeys",
    "Meaning",
    "Policy",
    "PublicKey",
    "RequestLimits",
    "RsaBits",
    "Sealed",
    "Secret",
    "ServiceUrl",
    "Severity",
    "SigningKey",
    "SigningRequest",
    "StrictModel",
    "WorkerThreads",
    "algorithm_of",
    "bounded_json",
    "check_nesting",
    "check_service_url",
    "deadlines",
    "ecdsa_der_from_raw",
    "errors",
    "explained",
    "forks",
    "hookimpl",
    "is_loopback",
    "load_public_key",
    "outcome",
    "quoted",
]
