"""Google's integrity procedure: checksums and names of what comes back.

Source: https://cloud.google.com/kms/docs/data-integrity-guidelines
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import google_crc32c

from dfns_signers_gcp_kms.errors import IntegrityError

if TYPE_CHECKING:
    from google.cloud.kms_v1 import PublicKey


def check_public_key(name: str, answer: PublicKey) -> None:
    """Check that a public key is that of this version, and arrived whole.

    Raises:
        IntegrityError: discard it.
    """
    _check_name(name, answer.name)
    _check_checksum("public key", answer.pem.encode("utf-8"), answer.pem_crc32c)


def check_signature(name: str, verified: str, answer: Any) -> None:
    """Check that a signature is by this version, over what was sent, and arrived whole.

    Args:
        name: of the version.
        verified: the field that says that Google checked the checksum of the request.
        answer: AsymmetricSignResponse in protobuf.

    Raises:
        IntegrityError: discard it.
    """
    _check_name(name, answer.name)
    if not getattr(answer, verified):
        raise IntegrityError(
            f"Cloud KMS did not confirm the checksum of what was to be signed ({verified} is "
            "false): the request may have been damaged on its way"
        )
    checksum = answer.signature_crc32c.value if answer.HasField("signature_crc32c") else None
    _check_checksum("signature", answer.signature, checksum)


def _check_name(name: str, found: str) -> None:
    if found != name:
        raise IntegrityError(
            f"Cloud KMS answered for {found!r}: the request or the answer was damaged or "
            "misdirected"
        )


def _check_checksum(what: str, data: bytes, checksum: object) -> None:
    computed = int(google_crc32c.value(data))
    if checksum != computed:
        raise IntegrityError(
            f"the {what} was damaged on its way: its CRC32C is {computed}, and Cloud KMS says "
            f"{checksum}"
        )
