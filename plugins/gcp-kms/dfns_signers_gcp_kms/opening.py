"""Open a version: read its public key, wait for one that is being generated, refuse the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from google.api_core.exceptions import FailedPrecondition, GoogleAPIError, PermissionDenied
from google.auth.exceptions import GoogleAuthError

from dfns_signers.algorithms import PublicKey
from dfns_signers.errors import (
    ConfigurationError,
    KeyStateError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers.public_keys import load_public_key
from dfns_signers_gcp_kms.algorithms import KmsAlgorithm, require_supported
from dfns_signers_gcp_kms.errors import state_in, translate, translated
from dfns_signers_gcp_kms.integrity import check_public_key
from dfns_signers_gcp_kms.names import gcloud_flags, split
from dfns_signers_gcp_kms.retrying import RetryPolicy, ask
from dfns_signers_gcp_kms.steps import Pause, Steps

if TYPE_CHECKING:
    from google.cloud import kms_v1

PENDING: Final = "PENDING_GENERATION"

_ADVICE: Final[Mapping[str, str]] = {
    "DISABLED": "enable it: gcloud kms keys versions enable {number} {flags}",
    "DESTROY_SCHEDULED": "take its destruction back while that is possible, and enable it: "
    "gcloud kms keys versions restore {number} {flags}",
    "DESTROYED": "it cannot come back: create a new version, and register its public key with Dfns",
    PENDING: "it is still being generated: try again later, or raise generation_timeout",
    "GENERATION_FAILED": "create another version: gcloud kms keys versions create {flags}",
}
_OTHER_STATE: Final = "only an ENABLED version signs: choose or create another one"
_REFUSED_ENABLED: Final = (
    "Cloud KMS does not use it all the same, for the reason that Google gives; compare what "
    "gcloud kms keys versions describe {number} {flags} shows"
)
_UNKNOWN_STATE: Final = (
    "its state cannot be read without the permission cloudkms.cryptoKeyVersions.get; see "
    "gcloud kms keys versions describe {number} {flags}"
)
_UNREAD_STATE: Final = (
    "its state could not be read ({failure}); see gcloud kms keys versions describe {number} "
    "{flags}"
)


@dataclass(frozen=True, slots=True)
class FoundState:
    """What is known of a version that Cloud KMS did not use.

    Attributes:
        state: such as ``DISABLED``; None if it could not be read.
        algorithm: Cloud KMS's name; None if only the refusal told the state.
        failure: why the state could not be read.
    """

    state: str | None = None
    algorithm: str | None = None
    failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class OpenedVersion:
    """A version that can sign: its public key, and how it is asked to."""

    public_key: PublicKey
    algorithm: KmsAlgorithm


def open_version(name: str, policy: RetryPolicy) -> Steps[OpenedVersion]:
    """Read the public key of a version, and prove that Dfns accepts its signatures.

    Only the permission to view public keys is needed.

    Raises:
        UnsupportedKeyError: its algorithm is none that Dfns accepts.
        KeyStateError: it is not enabled.
        SigningKeyError: whatever else Cloud KMS says.
    """
    end = policy.clock() + policy.generation_timeout
    for pause in policy.pauses():
        one_end = policy.end()
        check = partial(check_public_key, name)
        try:
            answer = yield from ask(policy, "get_public_key", {"name": name}, check, one_end)
        except FailedPrecondition as error:
            found = yield from find_state(name, error, policy, one_end)
            left = end - policy.clock()
            if found.state != PENDING or left <= 0:
                raise refused_state(name, found, error) from error
        except (GoogleAPIError, GoogleAuthError) as error:
            raise translate(error, "get_public_key", name) from error
        else:
            algorithm = require_supported(algorithm_name(answer.message), name)
            return OpenedVersion(load_public_key(answer.message.pem), algorithm)
        yield Pause(min(pause, left))
    raise AssertionError("pauses have no end")


def algorithm_name(message: kms_v1.PublicKey | kms_v1.CryptoKeyVersion) -> str:
    """Cloud KMS's name of an algorithm; its number, where Google's client is too old for it."""
    raw = type(message).pb(message)
    known = raw.DESCRIPTOR.fields_by_name["algorithm"].enum_type.values_by_number
    value = known.get(raw.algorithm)
    return value.name if value else f"number {raw.algorithm}"


def find_state(
    name: str, error: FailedPrecondition, policy: RetryPolicy, end: float
) -> Steps[FoundState]:
    """The state of a version: as the error tells it, else as the version itself does.

    Args:
        name: of the version.
        error: what Cloud KMS said.
        policy: how often the version is asked for.
        end: when the operation that the error ended is given up.
    """
    told = state_in(error)
    if told is not None:
        return FoundState(told)
    try:
        answer = yield from ask(policy, "get_crypto_key_version", {"name": name}, end=end)
    except (GoogleAPIError, GoogleAuthError) as failure:
        return FoundState(failure=failure)  # signing needs no permission to read it
    return FoundState(str(answer.message.state.name), algorithm_name(answer.message))


def refused_state(name: str, found: FoundState, error: FailedPrecondition) -> SigningKeyError:
    """The error for a version that Cloud KMS did not use."""
    if found.state == "ENABLED" and found.algorithm is not None:
        try:
            require_supported(found.algorithm, name)
        except UnsupportedKeyError as unsupported:
            return unsupported
    parent, number = split(name)
    advice = _advice(found).format(number=number, flags=gcloud_flags(parent), failure=found.failure)
    what = f"is {found.state}" if found.state else "cannot be used"
    return KeyStateError(f"the key {name} {what}: {advice}. Google says: {error.message}")


def _advice(found: FoundState) -> str:
    if found.state == "ENABLED":
        return _REFUSED_ENABLED
    if found.state is not None:
        return _ADVICE.get(found.state, _OTHER_STATE)
    return _UNKNOWN_STATE if isinstance(found.failure, PermissionDenied) else _UNREAD_STATE


def refuse_crypto_key(name: str, policy: RetryPolicy) -> Steps[NoReturn]:
    """Refuse a crypto key where a version is needed, and say which versions there are.

    Raises:
        ConfigurationError: always.
    """
    head = (
        f"key_version = {name!r} names a crypto key, and what signs is a version of it; none is "
        "taken for granted"
    )
    try:
        with translated("list_crypto_key_versions", name):
            versions = yield from _enabled_versions(name, policy)
    except Exception as error:
        raise ConfigurationError(
            f"{head}. Its versions could not be listed ({error}). Set key_version = "
            f"'{name}/cryptoKeyVersions/NUMBER', with a number of gcloud kms keys versions list "
            f"{gcloud_flags(name)}"
        ) from error
    if not versions:
        raise ConfigurationError(
            f"{head}. None of its versions is enabled: create one with "
            f"gcloud kms keys versions create {gcloud_flags(name)}"
        )
    choices = " or ".join(f"key_version = {version!r}" for version in versions)
    raise ConfigurationError(f"{head}. Set {choices}")


def _enabled_versions(crypto_key: str, policy: RetryPolicy) -> Steps[list[str]]:
    found: list[str] = []
    token = ""
    while True:
        fields = {"parent": crypto_key, "page_token": token}
        page = (yield from ask(policy, "list_crypto_key_versions", fields)).message
        found += [one.name for one in page.crypto_key_versions if one.state.name == "ENABLED"]
        token = page.next_page_token
        if not token:
            return found
