"""Private keys as openssl 3.0 and OpenSSH 9.2 write them, made for these tests alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.errors import SigningKeyError

PASSPHRASE = "correct-horse"


@dataclass(frozen=True)
class Written:
    """A key, and what ``openssl pkey -in KEY -pubout -outform DER | sha256sum`` says of it."""

    how: str
    pem: str
    algorithm: str
    digest: str
    passphrase: str | None = None


KEYS = [
    Written(
        "openssl genpkey -algorithm ed25519",
        """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEILYIbLebog1GBESegV70IzpaSftcJzx+XVNktzDIdtYQ
-----END PRIVATE KEY-----
""",
        "Ed25519",
        "937e3e12050d20c80879ac5a49260e7c0ca8a746a9764b7fb6e3db25471bd4bf",
    ),
    Written(
        "openssl genpkey -algorithm ed25519 -aes256",
        """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhT4zrMqYPyNAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEMiiXj995PGBUSPVv0SvmQcEQC9a
u45vxVP5ZuV84KK5iFt0NlMEfTp9zTQVk0kZ1tc8C1J27yIEp27JpYeNLpV1dOg1
aY6yJkygAP+d9+bgSQw=
-----END ENCRYPTED PRIVATE KEY-----
""",
        "Ed25519",
        "c3511039f8ed313641cf72d6cffc2b1fa7aed04503b4017a6a0b7d8b39969c19",
        PASSPHRASE,
    ),
    Written(
        "openssl ecparam -name prime256v1 -genkey",
        """\
-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIArvC/kT2KALXNmmK4p1bxA4yaYLl7o7hETvceFXhgEcoAoGCCqGSM49
AwEHoUQDQgAELZclapPGHdqyqSXcUEYKKdyA/LUuOa1eLnMlXs4QMbaTx920R6HG
OX9aGGRew6Ei18wJK6NDOPAteBKMf/rVkw==
-----END EC PRIVATE KEY-----
""",
        "ES256",
        "841b9979bc22bd436a5efab66e8421f1317b53d43bcbd1694417583605df3b09",
    ),
    Written(
        "openssl ecparam -name secp256k1 -genkey",
        """\
-----BEGIN EC PARAMETERS-----
BgUrgQQACg==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHQCAQEEIBL9o9eNYkAvt+X/AwTr1mgvOI1QcTJhVNDgMof42OqYoAcGBSuBBAAK
oUQDQgAEPuxgr3tXwxVSTxM4kKOCCjR6NX8mi0zAfkfk5HTKg5hEANuXebLEuEtM
zcB2r6TNycoCQAC9K6Ev+BDDo3OPTQ==
-----END EC PRIVATE KEY-----
""",
        "ES256K",
        "9bc4bb29d7cf3c883898e6232e4eff6eed9d4ad7db4b4d34e4fdad74f9a756a1",
    ),
    Written(
        "openssl ec -aes256",
        """\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,C744F5035E8319A89951D00115BFEC57

gtgKr037Y+J3UfC8hJEDcem4zmWSsNtjPIqbFDkmblM7pxRVk7HZzIkzuocT1Q+9
Dw8dHTCbuFkWw9Gsbx38dNImRGA+PJsn7WLlzVrFFZW+WOScw7/13hyGUSrG5oXM
gNAD4E78eWHzyNIb7h/jOM0JHXXQ2BOZUqX6sn1HIKM=
-----END EC PRIVATE KEY-----
""",
        "ES256",
        "841b9979bc22bd436a5efab66e8421f1317b53d43bcbd1694417583605df3b09",
        PASSPHRASE,
    ),
    Written(
        "openssl pkcs8 -topk8 -scrypt",
        """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAi4yFZAGw4SgAICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBAOsOfjemXsbJ1UQW0r1lYYBIGQwjwTORoupuOM
tV8BE7oUEiilLvH5I36Zty3hTvevNAdijNedQW4cxFCd6TfI2q14kZkUVwWVHg9p
fFK19r48AT7nnBZeYLM07xFn/Epk8jgFvq176XzHR2pAmTbuSd0wrjxDI5WgznB6
QMHwM4kz4ENRHUZjsrE0OgN+QOvwoTQNJEcFFFQvDcCAS5vTgu8Z
-----END ENCRYPTED PRIVATE KEY-----
""",
        "ES256K",
        "9bc4bb29d7cf3c883898e6232e4eff6eed9d4ad7db4b4d34e4fdad74f9a756a1",
        PASSPHRASE,
    ),
    Written(
        "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES",
        """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGxMBwGCiqGSIb3DQEMAQMwDgQIXxv9QpgdIQACAggABIGQEPRfziwBcyEBN7FF
Nd2qDpqKVIz5HFmbUc4yD1KeD3DtWR7YNuy05/xxt0Lpl0aFCCeCom+eNWUHLfyq
0e5Mq82105yID64uGupsQcbCc/AIl+/1QFHBMT4BipOx0MWnfQIRg2znKDerZWcd
F/PIzl92tnnRZ0lKlLU5x2dAw2XzIWETuWqj/o9Rpyojfare
-----END ENCRYPTED PRIVATE KEY-----
""",
        "ES256",
        "841b9979bc22bd436a5efab66e8421f1317b53d43bcbd1694417583605df3b09",
        PASSPHRASE,
    ),
    Written(
        "openssl genrsa 2048",
        """\
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCaJmtFzQC0RKo8
2VGIW1AM8RjqgurbVedeOQTyq8TS1FpxgNs08GL60rKexKikwMzGk3XsirRHPva0
93yj9jwIgq7pwSAF6x7/TM7zzFzmeV07M2xREPerfLEpmBTDYgK66ecfPMqOkNxQ
QHgO3JNhqTbKqJCwJC21Up9cvjx0PXOAyu4j+py4cZjnss0EWmI5MIkgZE9qOyK4
dYSTytwp/uTzv0Bd9dC3ktIl/F6f5L1gqhhZ3RVTqlZiJKbmh1mXQvWG1haxEVT6
gvgYx2V514aaTr2zUrmByEcqNBoAIDBnc6NV8D3EFT81LfldmKZ8iA0pk3irvT0u
iREYGrGLAgMBAAECggEACIh2PrkVlWUJrBr25Z6cZKMCAeqjrTw+SwZ1V35FA8td
Lami43V9HS0Fqz6app1vmHx4NihgHg4xDPJ4Pqv2RchU02bClYv0PXtXJ21uz76f
Imml0NT+HiA7FGDb9rbZt4FphF6n8ygMsg/nisxmB4LHoC9K7HKMPzHRgDTzAWzW
uc0LqH4V+3sRQlV1NHQboBbDkjfdRq0jdFqh/7fllfzhB4Kq57mrvNgR0m3NCTR8
Pm46inGPtm3EZxkg4a+7RS77ecxMfVU8iqTXnoHbkYkbGp/qxrzw0oMleOMkPttA
KshL6bUkr7oE6JF24RPtXGmnhCbQdiLdC8bZWLWLWQKBgQDQ3WC72uvqY2Q6NjDm
61CJPqZuMoef5tIlZdS2E5GLvJq+02yvyj2sCuIbHO2scHK+gyzYXK9d82yLCieT
EzDiYMLKyofjU9VzOFpX6CBLb0xQAs7iMi324y/W7Yaax082H997W5/tx17KVPOl
lKG37X6twLMEnrAfI3x5zJiG4wKBgQC88AqnUM1p21K7DBAe9NP6G2hE/MqM9/eF
zw1z4bev9Slp5ob3MtnaSSLLxR4d+UjlDk+PkB/EwrSLYrNZgqNZkdFyex5rUzuh
yZaJWWTq7DY7EXVut3y9S43FuYwTJqVd0lw1Gkmmx7odzbmhl6Eg5SAfksT1xwb9
I1HCkjADOQKBgQCeYuJSUoeIbOq6ghG/az7ddNb8xfC3P3Coz3nowRokH1gx0V6g
R/tQlcg0y1Eo7PT2p77ALDkIQ+pR3dd43pq5cKsG4WL+7rn08A0CkJK84Z+7JQYB
3g+hI1NJ50Gl6fKVlsIAZ9D1nbSyNo21SOsB8WWZGYInxLbGRkDElHQuBQKBgDDP
hsEQ8/BsE+R0ylllALp1iCuCb0WZ7h1oj14nqw/PM2LDhoyoW3W0PUQNaalutHFQ
kCdToZFwh7oWxqTSRicmr8h2nDY364jxjm1vZc33Nk9uRDtVNemlcjvpopF0A3bI
mL+zSeHHaYK3mkRv6tWXvAPMJAwm3dxZ2o58u+CpAoGAPEbzkHUpUXuPQmlzbKsk
GwyPRRJMRhaKOEKlGou1ZM3RT/5jkamyLFlDh/QbA6lNki4ktxq9N4qiNqhVAimf
aW+Kmll8wrcueZbIRdo+wZQIwc9uWZjq0cIdTs7hKmHC52HbQrIhxCOI1KITIvvH
9ffIIDqvR/h6Io84MTelSFA=
-----END PRIVATE KEY-----
""",
        "RS256",
        "0a326609b6c99e24b7a015fd30255b20a84dec06871b39fb5af30e3b8c28a967",
    ),
    Written(
        "openssl rsa -traditional",
        """\
-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEAmiZrRc0AtESqPNlRiFtQDPEY6oLq21XnXjkE8qvE0tRacYDb
NPBi+tKynsSopMDMxpN17Iq0Rz72tPd8o/Y8CIKu6cEgBese/0zO88xc5nldOzNs
URD3q3yxKZgUw2ICuunnHzzKjpDcUEB4DtyTYak2yqiQsCQttVKfXL48dD1zgMru
I/qcuHGY57LNBFpiOTCJIGRPajsiuHWEk8rcKf7k879AXfXQt5LSJfxen+S9YKoY
Wd0VU6pWYiSm5odZl0L1htYWsRFU+oL4GMdledeGmk69s1K5gchHKjQaACAwZ3Oj
VfA9xBU/NS35XZimfIgNKZN4q709LokRGBqxiwIDAQABAoIBAAiIdj65FZVlCawa
9uWenGSjAgHqo608PksGdVd+RQPLXS2pouN1fR0tBas+mqadb5h8eDYoYB4OMQzy
eD6r9kXIVNNmwpWL9D17Vydtbs++nyJppdDU/h4gOxRg2/a22beBaYRep/MoDLIP
54rMZgeCx6AvSuxyjD8x0YA08wFs1rnNC6h+Fft7EUJVdTR0G6AWw5I33UatI3Ra
of+35ZX84QeCque5q7zYEdJtzQk0fD5uOopxj7ZtxGcZIOGvu0Uu+3nMTH1VPIqk
156B25GJGxqf6sa88NKDJXjjJD7bQCrIS+m1JK+6BOiRduET7Vxpp4Qm0HYi3QvG
2Vi1i1kCgYEA0N1gu9rr6mNkOjYw5utQiT6mbjKHn+bSJWXUthORi7yavtNsr8o9
rAriGxztrHByvoMs2FyvXfNsiwonkxMw4mDCysqH41PVczhaV+ggS29MUALO4jIt
9uMv1u2GmsdPNh/fe1uf7cdeylTzpZSht+1+rcCzBJ6wHyN8ecyYhuMCgYEAvPAK
p1DNadtSuwwQHvTT+htoRPzKjPf3hc8Nc+G3r/UpaeaG9zLZ2kkiy8UeHflI5Q5P
j5AfxMK0i2KzWYKjWZHRcnsea1M7ocmWiVlk6uw2OxF1brd8vUuNxbmMEyalXdJc
NRpJpse6Hc25oZehIOUgH5LE9ccG/SNRwpIwAzkCgYEAnmLiUlKHiGzquoIRv2s+
3XTW/MXwtz9wqM956MEaJB9YMdFeoEf7UJXINMtRKOz09qe+wCw5CEPqUd3XeN6a
uXCrBuFi/u659PANApCSvOGfuyUGAd4PoSNTSedBpenylZbCAGfQ9Z20sjaNtUjr
AfFlmRmCJ8S2xkZAxJR0LgUCgYAwz4bBEPPwbBPkdMpZZQC6dYgrgm9Fme4daI9e
J6sPzzNiw4aMqFt1tD1EDWmpbrRxUJAnU6GRcIe6Fsak0kYnJq/Idpw2N+uI8Y5t
b2XN9zZPbkQ7VTXppXI76aKRdAN2yJi/s0nhx2mCt5pEb+rVl7wDzCQMJt3cWdqO
fLvgqQKBgDxG85B1KVF7j0Jpc2yrJBsMj0USTEYWijhCpRqLtWTN0U/+Y5GpsixZ
Q4f0GwOpTZIuJLcavTeKojaoVQIpn2lvippZfMK3LnmWyEXaPsGUCMHPblmY6tHC
HU7O4Sphwudh20KyIcQjiNSiEyL7x/X3yCA6r0f4eiKPODE3pUhQ
-----END RSA PRIVATE KEY-----
""",
        "RS256",
        "0a326609b6c99e24b7a015fd30255b20a84dec06871b39fb5af30e3b8c28a967",
    ),
    Written(
        "ssh-keygen -t ed25519",
        """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACCCjoBe+mCj2Gjjqwynpdvn9PneTRpP0FBzNBLnGLsFzgAAAIhzkGrCc5Bq
wgAAAAtzc2gtZWQyNTUxOQAAACCCjoBe+mCj2Gjjqwynpdvn9PneTRpP0FBzNBLnGLsFzg
AAAECLGz9QLIwEVH1aeXthofyj2jUwAlAdrArkML50yPNGXIKOgF76YKPYaOOrDKel2+f0
+d5NGk/QUHM0EucYuwXOAAAAAXQBAgME
-----END OPENSSH PRIVATE KEY-----
""",
        "Ed25519",
        "2b4881745bf105c450e77127a63426d598940fa425f13d7045afb81e9ed36ffc",
    ),
    Written(
        "ssh-keygen -t ecdsa -b 256",
        """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS
1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQRapzhDC1J4fFDhNTtiPp4LXb9cqKHd
rKGrZCVvWTr7ahU65M4hj6W8jqn1cxrwJVr+WVgsWP0AaD3lAhwooRoTAAAAoII2H4iCNh
+IAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFqnOEMLUnh8UOE1
O2I+ngtdv1yood2soatkJW9ZOvtqFTrkziGPpbyOqfVzGvAlWv5ZWCxY/QBoPeUCHCihGh
MAAAAgZ7L9ZVzXY/mFiUJjz88/vurXkBrjHUyWlPktnBhvSvQAAAABdAECAwQFBgc=
-----END OPENSSH PRIVATE KEY-----
""",
        "ES256",
        "469b576744d07c8be5c4ddf4197df30673a16bc5571e8cd2dc8cfa7a5d38765f",
    ),
]
ENCRYPTED_BY_OPENSSH = Written(
    "ssh-keygen -t ed25519 -N correct-horse",
    """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABA0Mg1oWd
YM6EcjmTvdJRVyAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIAA0uBitciyq2CG8
o4aLzvglk3Bp/tz1Q+9NZ2LaAcp/AAAAkPlRAiraimVFggdq2edgPyja/aMWapT6jGYlo9
J45nrJHRqHKox6HR67Yi59mvewbHy+tQ+1IMY5vu9NgvXZyWO6G5H8fN44oSI+DYXOxYkb
GVOayb/Ca93wRodqEoEmK2bLqrJpUF8peSG33UZIM2c2kwjVIdfd1OdG8MaXRawDbyLO6x
7GYyiIAdr4h47/gA==
-----END OPENSSH PRIVATE KEY-----
""",
    "Ed25519",
    "dbc1d468da070083fa008375b6c4756fdfa7acfee01647dd9bff4380067ca558",
    PASSPHRASE,
)


@pytest.mark.parametrize("written", KEYS, ids=lambda written: written.how)
def test_key_is_read_and_has_the_fingerprint_that_openssl_shows(
    written: Written,
) -> None:
    key = PemKey.from_pem(written.pem, written.passphrase)

    assert key.algorithm == written.algorithm
    assert key.fingerprint == "sha256:" + written.digest


@pytest.mark.parametrize("passphrase", [None, ""])
def test_key_that_openssh_encrypted_is_refused_without_its_passphrase(
    passphrase: str | None,
) -> None:
    with pytest.raises(SigningKeyError, match=r"is encrypted: set .*passphrase = \{ env"):
        PemKey.from_pem(ENCRYPTED_BY_OPENSSH.pem, passphrase)


def test_key_that_openssh_encrypted_is_refused_without_bcrypt_with_what_to_install() -> None:
    program = """
import sys
sys.modules["bcrypt"] = None  # as if it were not installed
from dfns_signers import PemKey
PemKey.from_pem(*sys.argv[1:])
"""
    arguments = [ENCRYPTED_BY_OPENSSH.pem, PASSPHRASE]

    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )

    assert "run 'pip install bcrypt'" in done.stderr


def test_key_that_openssh_encrypted_is_read_with_bcrypt() -> None:
    key = PemKey.from_pem(ENCRYPTED_BY_OPENSSH.pem, ENCRYPTED_BY_OPENSSH.passphrase)

    assert key.fingerprint == "sha256:" + ENCRYPTED_BY_OPENSSH.digest
    with pytest.raises(SigningKeyError, match="the passphrase is wrong, or"):
        PemKey.from_pem(ENCRYPTED_BY_OPENSSH.pem, "another")
