"""Find a key in AWS KMS, and prove that it can sign before it is used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dfns_signers.plugin import PublicKey, algorithm_of, errors, load_public_key, quoted
from dfns_signers_aws_kms.algorithms import KeySpec, usable_spec
from dfns_signers_aws_kms.client import AwsKms, text
from dfns_signers_aws_kms.names import KeyId

PROBE: Final = b"dfns-signers asks whether this key can sign; this is not a Dfns challenge"
"""Not JSON, hence never the clientData of a challenge: a server that signs it does no harm."""

_ADVICE: Final[Mapping[str, str]] = {
    "Disabled": "enable it: aws kms enable-key --key-id {arn}",
    "PendingDeletion": "to keep it: aws kms cancel-key-deletion --key-id {arn}, then enable-key",
}

_log: Final = logging.getLogger(__name__)


def find_key(kms: AwsKms, key_id: KeyId) -> tuple[str, KeySpec, PublicKey]:
    """Read the public key, and refuse a key that Dfns does not accept.

    Returns its ARN, also where it was named by an alias, what it signs with, and its public key.

    Raises:
        KeyNotFoundError, KeyAccessError, KeyStateError: AWS KMS does not return it.
        UnsupportedKeyError: another key spec or key usage.
        SigningKeyError: the answer is about another key.
    """
    task = f"open the key {key_id.text}"
    found = kms.ask(task, lambda _: _Found.read(kms.client.get_public_key(KeyId=key_id.text)))
    arn = found.arn
    if not key_id.names(arn):
        raise errors.SigningKeyError(
            f"asked for the public key of {key_id.text}, AWS KMS answered with that of "
            f"{arn or 'no key'}, where the ARN of the key was expected; check 'endpoint_url'"
        )
    spec = usable_spec(arn, spec=found.spec, usage=found.usage)
    if spec.signing_algorithm not in found.signing_algorithms:
        raise errors.UnsupportedKeyError(
            f"the key {arn} offers the signing algorithms "
            f"{quoted(', '.join(found.signing_algorithms)) or 'none'}, and "
            f"{spec.signing_algorithm} is needed; create another key"
        )
    return arn, spec, _public_key(found, spec)


@dataclass(frozen=True, slots=True)
class _Found:
    """An answer to GetPublicKey."""

    arn: str
    spec: str
    usage: str
    signing_algorithms: tuple[str, ...]
    public_key: bytes

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> _Found:
        return cls(
            text(answer, "KeyId"),
            text(answer, "KeySpec"),
            text(answer, "KeyUsage"),
            tuple(answer.get("SigningAlgorithms", [])),
            answer.get("PublicKey", b""),
        )


def _public_key(found: _Found, spec: KeySpec) -> PublicKey:
    try:
        public_key = load_public_key(found.public_key)
    except errors.UnsupportedKeyError as error:
        raise errors.UnsupportedKeyError(
            f"the public key of {found.arn} is unusable: {error}"
        ) from error
    algorithm = algorithm_of(public_key)
    if algorithm is not spec.algorithm:
        raise errors.UnsupportedKeyError(
            f"the key {found.arn} has the key spec {spec.name}, which is for {spec.algorithm}, and "
            f"its public key is for {algorithm}; check 'endpoint_url'"
        )
    return public_key


def prove_usable(kms: AwsKms, arn: str, spec: KeySpec) -> bool:
    """Refuse a key that cannot sign at present.

    AWS KMS is asked whether it would sign (DryRun), for which kms:Sign is enough. Where the answer
    leaves the state of the key open, that is read, if these credentials may (kms:DescribeKey).

    Returns:
        True after a dry run; False where the server knows none, and signed the probe.

    Raises:
        KeyStateError: it is disabled, pending deletion or in another state that does not sign.
        KeyAccessError: these credentials may not sign with it.
    """
    request = spec.request(arn, PROBE)
    request["DryRun"] = True
    task = f"sign with the key {arn} (asked before the first signature)"
    try:
        signed = kms.ask_unless(
            {"DryRunOperationException"}, task, lambda: kms.client.sign(**request)
        )
    except errors.KeyStateError:
        _require_enabled(kms, arn)  # says more: which state, and until when
        raise
    if signed is not None:  # a server without dry runs may sign with any key
        _require_enabled(kms, arn)
    return signed is None


def _require_enabled(kms: AwsKms, arn: str) -> None:
    task = f"read the state of the key {arn}"
    metadata = kms.describe(task, arn, unless={"AccessDeniedException"})
    if metadata is None:
        _log.debug("the state of the key %s is not readable: no kms:DescribeKey", arn)
        return
    check_state(arn, metadata)


def check_state(arn: str, metadata: Mapping[str, Any]) -> None:
    """Refuse a key that AWS describes in a state that does not sign.

    Raises:
        KeyStateError: the message has the state, and what to do.
    """
    state = text(metadata, "KeyState") or "unknown"
    if state != "Enabled":
        raise errors.KeyStateError(_state_message(arn, state, metadata))


def _state_message(arn: str, state: str, metadata: Mapping[str, Any]) -> str:
    date = metadata.get("DeletionDate")
    when = f" (to be deleted on {date:%Y-%m-%d})" if date else ""
    advice = _ADVICE.get(state, "wait until it is Enabled").format(arn=arn)
    return (
        f"the key {arn} is in the state {state}{when}, and only a key in the state Enabled signs; "
        f"{advice}. Or configure another key"
    )
