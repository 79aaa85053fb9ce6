"""What tests in any language do to the world of an emulator, by ``POST /_emulator/...``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from dfns_signers.emulator.access.mail import Mail
from dfns_signers.emulator.chains.funds import Funds
from dfns_signers.emulator.policies.approvals import Approvals
from dfns_signers.emulator.progress import ProgressControl
from dfns_signers.emulator.service import Service
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean

_PURPOSES: Final = ("registration", "login", "recovery")


class Control(NamedTuple):
    """One thing to do.

    Attributes:
        act: called with the body's members.
        required: members that the body must have; all but ``amount`` are strings.
        optional: members that it may have.
        others: whether it may have any other members, which ``act`` judges.
    """

    act: Callable[[Service, Mapping[str, Any]], Any]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    others: bool = False

    def __call__(self, service: Service, body: Any) -> Any:
        """Do it, and return the answer.

        Raises:
            ConfigurationError: the body is not as declared, or it cannot be done.
        """
        self._check(body)
        return self.act(service, body)

    def _check(self, body: Any) -> None:
        expected = ", ".join([*self.required, *(f"{name} (optional)" for name in self.optional)])
        if not isinstance(body, dict):
            raise ConfigurationError(f"expected a JSON object with {expected or 'no members'}")
        for name in self.required:
            if name not in body:
                raise ConfigurationError(f"{name} is required, and is missing")
        known = (*self.required, *self.optional)
        for name, value in body.items():
            if name not in known and not self.others:
                hint = did_you_mean(name, known)
                raise ConfigurationError(
                    f'"{name}" is not a member of this request{hint}. Members it may have: '
                    f"{expected or 'none'}"
                )
            if not isinstance(value, str) and name != "amount":
                raise ConfigurationError(f"{name} must be a string")


def _step(service: Service, body: Mapping[str, Any]) -> Any:
    with service.lock:
        return {"stepped": service.state.progress.step(body["id"])}


def _finish(service: Service, body: Mapping[str, Any]) -> Any:
    ProgressControl(service.state.progress, service.lock).finish(body["id"])
    return {}


def _fail(service: Service, body: Mapping[str, Any]) -> Any:
    reason = [body["reason"]] if "reason" in body else []
    ProgressControl(service.state.progress, service.lock).fail(body["id"], *reason)
    return {}


def _decide(service: Service, body: Mapping[str, Any]) -> Any:
    approvals = Approvals(service.state, service.lock)
    approvals.decide(body["id"], body["value"], user=body.get("user"))
    return {}


def _deposit(service: Service, body: Mapping[str, Any]) -> Any:
    given = dict(body)
    wallet, amount = given.pop("walletId"), given.pop("amount", 1)
    kind = given.pop("kind", "Native")
    Funds(service.state, service.lock).deposit(wallet, amount, kind, **given)
    return {}


def _code(service: Service, body: Mapping[str, Any]) -> Any:
    purpose: Any = body["purpose"]
    if purpose not in _PURPOSES:
        hint = did_you_mean(purpose, _PURPOSES)
        listed = ", ".join(_PURPOSES)
        raise ConfigurationError(f"purpose must be one of {listed}, and is {purpose!r}{hint}")
    return {"code": Mail(service.state.mail, service.lock).code(purpose, body["username"])}


def _retry(service: Service, _body: Mapping[str, Any]) -> Any:
    return {"retried": service.state.webhooks.retry()}


CONTROLS: Final[Mapping[str, Control]] = {
    "approvals/decide": Control(_decide, ("id", "value"), ("user",)),
    "deposit": Control(_deposit, ("walletId",), ("amount", "kind"), others=True),
    "fail": Control(_fail, ("id",), ("reason",)),
    "finish": Control(_finish, ("id",)),
    "mail": Control(_code, ("purpose", "username")),
    "step": Control(_step, ("id",)),
    "webhooks/retry": Control(_retry),
}
"""By the path below ``/_emulator/``."""
