"""Find a key in AWS KMS, and prove that it can sign before it is used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from dfns_signers.plugin import PublicKey, algorithm_of, errors, load_public_key
from dfns_signers_aws_kms.algorithms import KeySpec, usable_spec
from dfns_signers_aws_kms.client import AwsKms
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
    answer = kms.ask(task, lambda _: kms.client.get_public_key(KeyId=key_id.text))
    arn = answer.get("KeyId", "")
    if not key_id.names(arn):
        raise errors.SigningKeyError(
            f"asked for the public key of {key_id.text}, AWS KMS answered with that of "
            f"{arn or 'no key'}, where the ARN of the key was expected; check 'endpoint_url'"
        )
    spec = usable_spec(arn, spec=answer.get("KeySpec", ""), usage=answer.get("KeyUsage", ""))
    if spec.signing_algorithm not in answer.get("SigningAlgorithms", []):
        raise errors.UnsupportedKeyError(
            f"the key {arn} offers the signing algorithms "
            f"{', '.join(answer.get('SigningAlgorithms', [])) or 'none'}, and "
            f"{spec.signing_algorithm} is needed; create another key"
        )
    return arn, spec, _public_key(answer, arn, spec)


def _public_key(answer: Mapping[str, Any], arn: str, spec: KeySpec) -> PublicKey:
    try:
        public_key = load_public_key(answer.get("PublicKey", b""))
    except errors.UnsupportedKeyError as error:
        raise errors.UnsupportedKeyError(f"the public key of {arn} is unusable: {error}") from error
    algorithm = algorithm_of(public_key)
    if algorithm is not spec.algorithm:
        raise errors.UnsupportedKeyError(
            f"the key {arn} has the key spec {spec.name}, which is for {spec.algorithm}, and its "
            f"public key is for {algorithm}; check 'endpoint_url'"
        )
    return public_key


def prove_usable(kms: AwsKms, arn: str, spec: KeySpec) -> None:
    """Refuse a key that cannot sign at present.

    The state is read where these credentials may (kms:DescribeKey). Then AWS KMS is asked whether
    it would sign (DryRun), for which kms:Sign is enough.

    Raises:
        KeyStateError: it is disabled, pending deletion or in another state but Enabled.
        KeyAccessError: these credentials may not sign with it.
    """
    _require_enabled(kms, arn)

    request = spec.request(arn, PROBE)
    request["DryRun"] = True
    task = f"sign with the key {arn} (asked before the first signature)"
    kms.ask_unless({"DryRunOperationException"}, task, lambda: kms.client.sign(**request))


def _require_enabled(kms: AwsKms, arn: str) -> None:
    task = f"read the state of the key {arn}"
    metadata = kms.describe(task, arn, unless={"AccessDeniedException"})
    if metadata is None:
        _log.debug("the state of the key %s is not readable: no kms:DescribeKey", arn)
        return
    state = metadata.get("KeyState", "unknown")
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
