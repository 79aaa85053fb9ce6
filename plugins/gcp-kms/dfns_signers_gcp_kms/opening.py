"""Open a version: read its public key, wait for one that is being generated, refuse the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from google.api_core.exceptions import FailedPrecondition, GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from dfns_signers.algorithms import PublicKey, load_public_key
from dfns_signers.errors import ConfigurationError, KeyStateError
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
_UNKNOWN_STATE: Final = (
    "its state cannot be read without the permission cloudkms.cryptoKeyVersions.get; see "
    "gcloud kms keys versions describe {number} {flags}"
)


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
        try:
            answer = yield from ask(
                policy, "get_public_key", {"name": name}, partial(check_public_key, name)
            )
        except FailedPrecondition as error:
            state = yield from state_of(name, error, policy)
            if state != PENDING or policy.clock() + pause > end:
                raise refused_state(name, state, error) from error
        except (GoogleAPIError, GoogleAuthError) as error:
            raise translate(error, "get_public_key", name) from error
        else:
            algorithm = require_supported(algorithm_name(answer.message), name)
            return OpenedVersion(load_public_key(answer.message.pem), algorithm)
        yield Pause(pause)
    raise AssertionError("pauses have no end")


def algorithm_name(message: kms_v1.PublicKey | kms_v1.CryptoKeyVersion) -> str:
    """Cloud KMS's name of an algorithm; its number, where Google's client is too old for it."""
    raw = type(message).pb(message)
    known = raw.DESCRIPTOR.fields_by_name["algorithm"].enum_type.values_by_number
    value = known.get(raw.algorithm)
    return value.name if value else f"number {raw.algorithm}"


def state_of(name: str, error: FailedPrecondition, policy: RetryPolicy) -> Steps[str | None]:
    """The state of a version: as the error tells it, else as the version itself does."""
    told = state_in(error)
    if told is not None:
        return told
    try:
        answer = yield from ask(policy, "get_crypto_key_version", {"name": name})
    except (GoogleAPIError, GoogleAuthError):
        return None  # signing needs no permission to read it
    return str(answer.message.state.name)


def refused_state(name: str, state: str | None, error: FailedPrecondition) -> KeyStateError:
    """The error for a version that cannot sign in its state."""
    parent, number = split(name)
    found, advice = f"is {state}", _ADVICE.get(state or "", _OTHER_STATE)
    if state in {None, "ENABLED"}:
        found, advice = "cannot be used", _UNKNOWN_STATE
    told = advice.format(number=number, flags=gcloud_flags(parent))
    return KeyStateError(f"the key {name} {found}: {told}. Google says: {error.message}")


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
            answer = yield from ask(policy, "list_crypto_key_versions", {"parent": name})
    except Exception as error:
        raise ConfigurationError(
            f"{head}. Its versions could not be listed ({error}). Set key_version = "
            f"'{name}/cryptoKeyVersions/NUMBER', with a number of gcloud kms keys versions list "
            f"{gcloud_flags(name)}"
        ) from error
    versions = [one.name for one in _enabled(answer.message)]
    if not versions:
        raise ConfigurationError(
            f"{head}. None of its versions is enabled: create one with "
            f"gcloud kms keys versions create {gcloud_flags(name)}"
        )
    choices = " or ".join(f"key_version = {version!r}" for version in versions)
    raise ConfigurationError(f"{head}. Set {choices}")


def _enabled(page: Any) -> list[Any]:
    return [one for one in page.crypto_key_versions if one.state.name == "ENABLED"]
