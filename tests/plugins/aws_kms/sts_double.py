"""A double of AWS STS: AssumeRole and GetCallerIdentity, and how it was asked."""

from __future__ import annotations

import datetime
import itertools
from urllib.parse import parse_qs

from dfns_signers.closing import Closing
from tests.plugins.aws_kms.http_double import HttpDouble, Reply, Request

ROLE = "arn:aws:iam::111122223333:role/dfns-signer"

_ANSWER = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{key}</SecretAccessKey>
<SessionToken>{key}</SessionToken><Expiration>{expiration:%Y-%m-%dT%H:%M:%SZ}</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""
_CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/{}</Arn></GetCallerIdentityResult>
</GetCallerIdentityResponse>"""
_ERROR = """<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error>
<RequestId>sts-1</RequestId></ErrorResponse>"""


class StsDouble(Closing):
    """Gives out credentials ``role-1``, ``role-2``, … that hold for ``minutes``."""

    def __init__(self) -> None:
        self.minutes = 60.0
        self.denial: str | None = None
        self.denial_status = 403
        self.asked: list[dict[str, str]] = []
        self._number = itertools.count(1)
        self._http = HttpDouble(self._answer)
        self.url = self._http.url
        self.requests = self._http.requests

    def close(self) -> None:
        self._http.close()

    def has_no_connection_within(self, seconds: float) -> bool:
        return self._http.has_no_connection_within(seconds)

    def _answer(self, request: Request) -> Reply:
        self.asked.append({name: v[0] for name, v in parse_qs(request.body.decode()).items()})
        if self.denial:
            code = "AccessDenied" if self.denial_status == 403 else "ServiceUnavailable"
            return Reply(self.denial_status, _ERROR.format(code, self.denial).encode(), "text/xml")
        if self.asked[-1]["Action"] == "GetCallerIdentity":
            return Reply(200, _CALLER.format(request.access_key_id).encode(), "text/xml")
        now = datetime.datetime.now(datetime.timezone.utc)
        expiration = now + datetime.timedelta(minutes=self.minutes)
        body = _ANSWER.format(key=f"role-{next(self._number)}", expiration=expiration)
        return Reply(200, body.encode(), "text/xml")
