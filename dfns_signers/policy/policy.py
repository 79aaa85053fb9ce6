"""The rules of a profile, or of a caller of the gateway, and what they say of a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import PolicyRefusedError
from dfns_signers.operations import match_operation
from dfns_signers.policy.rule import Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say of one call.

    Attributes:
        rule: name of the rule that allows it; None if it is refused.
        check: what refused it, such as ``no-rule`` or ``read-only``; empty if it is allowed.
        reasons: why each rule that names the operation does not allow it, by the name of the rule.
            No value of the body is repeated.
    """

    rule: str | None
    check: str = ""
    reasons: tuple[tuple[str, str], ...] = ()


class Policy:
    """Rules of which one must allow a call; without any, all calls are allowed.

    Args:
        rules: those of one place in the configuration.
        title: names the place in errors, such as ``profile 'production'``.
        read_only: whether every call is refused that is not a read.
        default_deny: whether no call is allowed where there is no rule.
        reads: whether reads are allowed that no rule names.
        count: asked to count a call against the rate of a rule: its name and rate; returns the
            seconds to wait, 0 if it was counted.

    Raises:
        ConfigurationError: a rule that can never match, or two of one name.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        title: str,
        read_only: bool = False,
        default_deny: bool = False,
        reads: bool = False,
        count: Callable[[str, str], float] | None = None,
    ) -> None:
        self._rules = tuple(rules)
        self.title = title
        self._read_only = read_only
        self._denies = default_deny or bool(self._rules)
        self._reads = reads
        self._count = count

    def judge(self, call: AnnouncedCall) -> Decision:
        """Which rule allows a call, and why the others do not; nothing is counted."""
        operation = match_operation(call.method, call.path)
        if self._read_only and call.method != "GET":
            return Decision(None, "read-only")
        if not self._denies or (self._reads and call.method == "GET"):
            return Decision("")
        for rule in self._rules:
            if operation is not None and rule.call == str(operation):
                return Decision(rule.name)
        return Decision(None, "no-rule")

    def require(self, call: AnnouncedCall) -> str:
        """The name of the rule that allows a call; nothing is counted.

        Raises:
            PolicyRefusedError: none does; the message says which came near, and why.
        """
        decision = self.judge(call)
        if decision.rule is None:
            raise PolicyRefusedError(
                f"{self.title} does not allow {call.method} {call.path}", check=decision.check
            )
        return decision.rule

    def admit(self, call: AnnouncedCall) -> str:
        """``require``, and the call is counted against the rate of the rule.

        Raises:
            PolicyRefusedError: as for ``require``, or the rate is used up.
        """
        name = self.require(call)
        rates = {rule.name: rule.rate for rule in self._rules}
        rate = rates.get(name)
        pause = self._count(name, rate) if rate and self._count else 0.0
        if pause:
            raise PolicyRefusedError(
                f"{self.title} has used up the rate of rule {name!r}, {rate}",
                check="rate",
                rule=name,
                retry_after=pause,
            )
        return name
