"""What the program of a caller sets, in its language."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from dfns_signers.gateway.configuration.addresses import TcpAddress, UnixAddress
from dfns_signers.gateway.setup import client_templates as templates
from dfns_signers.gateway.setup.client_templates import TOKEN_VARIABLE
from dfns_signers.gateway.setup.local_certificate import LOCAL_TLS
from dfns_signers.gateway.setup.new_caller import AddedCaller


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines to paste.

    Attributes:
        title: names the client.
        comment: begins a comment in its language.
        text: ends with a line break.
    """

    title: str
    comment: str
    text: str


class ClientSettings:
    """What clients set for one caller.

    Args:
        caller: one of the configuration.
    """

    def __init__(self, caller: AddedCaller) -> None:
        self._caller = caller
        usable = [e for e in caller.settings.addresses if e.caller in (None, caller.name)]
        tcp = [each for each in usable if isinstance(each, TcpAddress)]
        self._tls = next((each for each in tcp if each.tls is not None), None)
        self._tcp = next((each for each in tcp if each.tls is None), self._tls)
        self._unix = next((each for each in usable if isinstance(each, UnixAddress)), None)

    def token_line(self) -> str | None:
        """A line for the shell that sets the variable of a new token; None if there is none."""
        if self._caller.token is None:
            return None
        if self._caller.token_file is not None:
            return f'export {TOKEN_VARIABLE}="$(cat {shlex.quote(str(self._caller.token_file))})"'
        return f"export {TOKEN_VARIABLE}={self._caller.token.open()}"

    def snippets(self) -> Iterator[Snippet]:
        """For each client that the caller can use."""
        yield from self._curl()
        if self._tcp is None or not self._caller.has_token:
            return
        if self._caller.private_key is None:
            yield Snippet("Python, with httpx", "#", self._filled(templates.HTTPX))
            return
        yield Snippet("Python, official SDK", "#", self._filled(templates.PYTHON))
        yield Snippet("TypeScript, official SDK", "//", self._typescript())
        remark = "" if self._tls else templates.GO_REFUSES_HTTP
        yield Snippet("Go, official SDK", "//", remark + self._filled(templates.GO))
        yield Snippet("Java, official SDK", "//", self._filled(templates.JAVA))
        yield Snippet("dfns-signers, a profile", "#", self._filled(templates.PROFILE))

    def trust_lines(self) -> Iterator[str]:
        """How programs trust the certificate of the gateway; none where it speaks http alone."""
        if self._tls is None:
            return
        authority = shlex.quote(str(self._authority(self._tls)))
        yield f"  Go, Python        SSL_CERT_FILE={authority} (Go on macOS: RootCAs of tls.Config)"
        yield f"  Node              NODE_EXTRA_CA_CERTS={authority}"
        yield (
            f"  Java              keytool -importcert -noprompt -alias dfns-gateway -file "
            f"{authority} -keystore dfns-gateway.p12 -storepass changeit"
        )
        yield (
            "                    java -Djavax.net.ssl.trustStore=dfns-gateway.p12 "
            "-Djavax.net.ssl.trustStorePassword=changeit"
        )

    def _curl(self) -> Iterator[Snippet]:
        if self._tcp is not None and self._caller.has_token:
            trusted = ["--cacert", str(self._authority(self._tcp))] if self._tcp.tls else []
            yield Snippet("curl", "#", self._curl_line(trusted, _url(self._tcp)))
        if self._unix is not None:
            socket = ["--unix-socket", str(self._unix.path)]
            line = self._curl_line(socket, "http://localhost")
            yield Snippet("curl, by unix socket", "#", line)

    def _curl_line(self, options: list[str], url: str) -> str:
        header = f'-H "Authorization: Bearer ${TOKEN_VARIABLE}" ' if self._caller.has_token else ""
        return f"{shlex.join(['curl', '-sS', *options])} {header}{url}/wallets\n"

    def _typescript(self) -> str:
        text = self._filled(templates.TYPESCRIPT)
        return text if self._caller.organisation else text.replace('  orgId: "",\n', "")

    def _filled(self, template: Template) -> str:
        literals = {
            "name": self._caller.name,
            "url": _url(self._tcp),
            "https_url": _url(self._tls) or f"https://{LOCAL_TLS}",
            "key": self._caller.private_key or "",
            "credential": self._caller.credential_id or "",
            "organisation": self._caller.organisation or "",
        }
        # As JSON, which all of the languages read alike for what is in them.
        return template.substitute({name: json.dumps(str(v)) for name, v in literals.items()})

    def _authority(self, address: TcpAddress) -> Path:
        """What clients trust: ``ca.crt`` beside the certificate of the server, else that itself."""
        certificate = self._caller.settings.tls[address.tls or ""].certificate
        authority = certificate.with_name("ca.crt")
        return authority if authority.exists() else certificate


def _url(address: TcpAddress | None) -> str:
    if address is None:
        return ""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{'https' if address.tls else 'http'}://{host}:{address.port}"
