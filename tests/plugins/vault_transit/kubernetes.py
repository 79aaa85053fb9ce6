"""What a Kubernetes cluster and an identity provider do for a login."""

from __future__ import annotations

import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from dfns_signers.encodings import base64url_encode
from tests.core.client.scripted import Reply, Seen

NAMESPACE, SERVICE_ACCOUNT, UID = "payments", "signer", "4711"
SUBJECT = f"system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"


class Issuer:
    """Signs JWTs."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)

    @property
    def public_pem(self) -> str:
        return (
            self._key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        body = {"iss": "https://issuer.example.com", "iat": now, "exp": now + 600, **claims}
        head = {"alg": "RS256", "typ": "JWT"}
        signed = ".".join(base64url_encode(json.dumps(part).encode()) for part in (head, body))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url_encode(signature)}"

    def pod_token(self) -> str:
        """The token that Kubernetes mounts into a pod of the service account."""
        of = "kubernetes.io/serviceaccount"
        claims = {
            "iss": "kubernetes/serviceaccount",
            f"{of}/namespace": NAMESPACE,
            f"{of}/service-account.name": SERVICE_ACCOUNT,
            f"{of}/service-account.uid": UID,
        }
        return self.token(sub=SUBJECT, **claims)


def review(seen: Seen) -> Reply:
    """The TokenReview of a cluster in which every token is this service account's."""
    token = json.loads(seen.body)["spec"]["token"]
    return Reply(
        status=201,
        body={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token},
            "status": {"authenticated": True, "user": {"username": SUBJECT, "uid": UID}},
        },
        headers={"Content-Type": "application/json"},
    )
