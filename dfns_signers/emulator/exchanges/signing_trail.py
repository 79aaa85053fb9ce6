"""Who called, and what was announced and signed by which credential: read off the exchanges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from dfns_signers.emulator.access.identities import Directory
from dfns_signers.emulator.requests.messages import Answer, Incoming, shortened
from dfns_signers.emulator.requests.wire import parse_json

_REMEMBERED: Final = 10_000
_USER_ACTION: Final = "x-dfns-useraction"


def caller_name(directory: Directory, request: Incoming) -> str:
    """The name of the user or service account whose token was sent; empty if none has it."""
    token = directory.find_token(request.bearer)
    if token is None:
        return ""
    return token.user.name if token.kind == "Token" else f"{token.user.name} ({token.kind})"


@dataclass(slots=True)
class SigningTrail:
    """Leads from a signed call back to its credential, over the challenge and the user action."""

    _announced: dict[str, str] = field(default_factory=dict, repr=False)
    _signed: dict[str, str] = field(default_factory=dict, repr=False)

    def follow(self, request: Incoming, answer: Answer) -> str:
        """What an exchange has to do with signing, in a few words; empty if nothing."""
        match request.method, request.raw_path:
            case "POST", "/auth/action/init":
                return self._announcement(_parsed(request.body), _parsed(answer.content))
            case "POST", "/auth/action":
                return self._signature(_parsed(request.body), _parsed(answer.content))
        credentials = [self._signed.get(value, "") for value in request.header(_USER_ACTION)]
        return f"signed by {credentials[0]}" if credentials and credentials[0] else ""

    def _announcement(self, body: Any, answer: Any) -> str:
        call = f"{_at(body, 'userActionHttpMethod')} {_at(body, 'userActionHttpPath')}".strip()
        _remember(self._announced, _at(answer, "challengeIdentifier"), call)
        return f"announces {shortened(call)}" if call else ""

    def _signature(self, body: Any, answer: Any) -> str:
        factors = [
            f"{_at(body, factor, 'credentialAssertion', 'credId')} ({_at(body, factor, 'kind')})"
            for factor in ("firstFactor", "secondFactor")
            if _at(body, factor, "credentialAssertion", "credId")
        ]
        credentials = shortened(" and ".join(factors))
        _remember(self._signed, _at(answer, "userAction"), credentials)
        call = self._announced.get(_at(body, "challengeIdentifier"), "an unknown challenge")
        return f"{credentials} signs {shortened(call)}" if credentials else ""


def _remember(memory: dict[str, str], key: str, value: str) -> None:
    if key:
        memory[key] = value
        if len(memory) > _REMEMBERED:
            del memory[next(iter(memory))]


def _parsed(content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError:
        return None


def _at(value: Any, *names: str) -> str:
    """The string inside of nested objects; empty if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
