"""The rules of a profile, or of a caller of the gateway, and what they say of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import ConfigurationError, PolicyRefusedError, RequestError
from dfns_signers.operations import Operation, match_operation, path_hint
from dfns_signers.policy.matcher import Asked, Matcher, new_matcher
from dfns_signers.policy.rule import Rule
from dfns_signers.policy.sensitive_reads import is_sensitive
from dfns_signers.user_action.endpoints import needs_user_action
from dfns_signers.user_action.paths import check_path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one call.

    Attributes:
        rule: its name.
        names: whether it is about the operation of the call.
        failures: why it does not allow the call; empty if it does, or is about another operation.
    """

    rule: str
    names: bool
    failures: tuple[str, ...] = ()

    @property
    def allows(self) -> bool:
        """Whether the rule allows the call."""
        return self.names and not self.failures


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say of one call.

    Attributes:
        rule: name of the rule that allows it, empty where none is needed; None if it is refused.
        check: what refused it: ``path``, ``read-only``, ``no-rule`` where none names the operation,
            ``conditions`` where those that do want something else; empty if it is allowed.
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
        title: names the place in errors, such as ``the profile 'production'``.
        read_only: whether every call is refused that is signed, or is not known to read only.
        default_deny: whether no call is allowed where there is no rule.
        reads: whether a GET is allowed that no rule names, sensitive ones apart.
        signed_only: whether rules are for signed calls alone, as of a signer: one for another call
            is refused. Another call is not for them to judge, unless it is read-only; it is not
            admitted to a signature.
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
        signed_only: bool = False,
        count: Callable[[str, str], float] | None = None,
    ) -> None:
        _require_distinct(rules)
        self.matchers = tuple(_matcher(rule, signed_only=signed_only) for rule in rules)
        self.title = title
        self.signed_only = signed_only
        self.read_only = read_only
        self._denies = default_deny or bool(self.matchers)
        self.reads = reads
        self._count = count

    def concerns(self, call: AnnouncedCall) -> bool:
        """Whether rules may allow a call: those of a signer are about signed calls alone."""
        return not self.signed_only or needs_user_action(call.method, call.path)

    def judge(self, call: AnnouncedCall) -> Decision:
        """Which rule allows a call, and why the others do not; nothing is counted."""
        check = self._check(call)
        if check:
            return Decision(None, check)
        if not self.concerns(call):
            return Decision("")
        verdicts = [verdict for _, verdict in self._asked(call) if verdict.names]
        allowing = next((verdict.rule for verdict in verdicts if verdict.allows), None)
        if allowing is not None:
            return Decision(allowing)
        if not self._denies or (not verdicts and self._may_read(call)):
            return Decision("")
        reasons = tuple((one.rule, "; ".join(one.failures)) for one in verdicts)
        return Decision(None, "conditions" if reasons else "no-rule", reasons)

    def explain(self, call: AnnouncedCall) -> tuple[Verdict, ...]:
        """What each rule says of a call, in the order of the configuration."""
        if _misspelt(call):
            return ()
        return tuple(verdict for _, verdict in self._asked(call))

    def require(self, call: AnnouncedCall) -> str:
        """The name of the rule that allows a call, empty where none is needed; nothing is counted.

        Raises:
            PolicyRefusedError: none does; the message says which came near, and why.
        """
        decision = self.judge(call)
        if decision.rule is None:
            raise self._refusal(call, decision)
        return decision.rule

    def admit(self, call: AnnouncedCall) -> str:
        """``require``, and the call is counted against the rate of a rule that allows it.

        Raises:
            PolicyRefusedError: as for ``require``, or the rates of all such rules are used up; or
                rules for signed calls alone are asked to have one signed that is not.
        """
        first = self.require(call)
        if not self.concerns(call):
            raise self._refusal(call, Decision(None, "read-only" if self.read_only else "no-rule"))
        used_up: list[tuple[float, Rule]] = []
        for rule, verdict in self._asked(call):
            if verdict.allows:
                pause = self._counted(rule)
                if not pause:
                    return rule.name
                used_up.append((pause, rule))
        if not used_up:
            return first
        pause, rule = min(used_up, key=lambda one: one[0])
        raise PolicyRefusedError(
            f"{self.title} has used up the rate of rule {rule.name!r}, {rule.rate}: wait "
            f"{pause:.1f} s, or raise it",
            check="rate",
            rule=rule.name,
            retry_after=pause,
        )

    def _counted(self, rule: Rule) -> float:
        """The seconds after which the rate of a rule has room; 0 if the call was counted."""
        if rule.rate is None:
            return 0.0
        if self._count is None:
            raise PolicyRefusedError(
                f"{self.title} cannot count calls against the rate of rule {rule.name!r}",
                check="rate",
                rule=rule.name,
            )
        return self._count(rule.name, rule.rate)

    def _asked(self, call: AnnouncedCall) -> Iterator[tuple[Rule, Verdict]]:
        asked = Asked(call, match_operation(call.method, call.path))
        for matcher in self.matchers:
            named = matcher.names(asked)
            failures = matcher.failures(asked) if named else ()
            yield matcher.rule, Verdict(matcher.rule.name, named, failures)

    def _check(self, call: AnnouncedCall) -> str:
        """What refuses a call whatever the rules say; empty for nothing."""
        if _misspelt(call):
            return "path"
        return "read-only" if self.read_only and _reading(call) is None else ""

    def _may_read(self, call: AnnouncedCall) -> bool:
        if not self.reads or call.method != "GET":
            return False
        operation = _reading(call)
        return operation is not None and not is_sensitive(operation)

    def _refusal(self, call: AnnouncedCall, decision: Decision) -> PolicyRefusedError:
        if decision.check == "path":
            return PolicyRefusedError(
                f"{self.title} does not allow the path {call.path!r}: {_misspelt(call)}",
                check=decision.check,
            )
        refused = f"{self.title} does not allow {call.method} {call.path}"
        if decision.check == "read-only":
            return PolicyRefusedError(
                f"{refused}: it is read-only ('read_only')", check=decision.check
            )
        if not decision.reasons:
            return PolicyRefusedError(
                f"{refused}: no rule names the operation. {self._advice(call)}",
                check=decision.check,
            )
        named = [one for one in self.explain(call) if one.names]
        nearest = min(named, key=lambda one: len(one.failures))
        return PolicyRefusedError(
            f"{refused}: rule {nearest.rule!r}: {'; '.join(nearest.failures)}",
            check=decision.check,
            rule=nearest.rule,
        )

    def _advice(self, call: AnnouncedCall) -> str:
        operation = match_operation(call.method, call.path)
        if operation is None:
            return f"No operation is known by that path{path_hint(call.method, call.path)}"
        if not self.concerns(call):
            return "It needs no signature: send it without one"
        if self.reads and is_sensitive(operation):
            return (
                f"It is a sensitive read, for which 'reads' is not enough: add one for {operation}"
            )
        flag = {"escalating": ", with escalates = true", "blind": ", with blind = true"}
        return f'Add one with call = "{operation}"{flag.get(operation.operation_class, "")}'


def _require_distinct(rules: Sequence[Rule]) -> None:
    names: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.name in names:
            raise ConfigurationError(f"two rules have the name {rule.name!r}: rename one of them")
        names.add(rule.name)
        for earlier in rules[:number]:
            if rule.model_copy(update={"name": earlier.name, "rate": earlier.rate}) == earlier:
                raise ConfigurationError(
                    f"rule {rule.name!r} allows nothing that rule {earlier.name!r} does not: "
                    "remove one of them"
                )


def _matcher(rule: Rule, *, signed_only: bool) -> Matcher:
    try:
        return new_matcher(rule, signed_only=signed_only)
    except ConfigurationError as error:
        raise ConfigurationError(f"rule {rule.name!r}: {error}") from error


def _misspelt(call: AnnouncedCall) -> str:
    """Why the path of a call could be read as another; empty if it cannot."""
    try:
        check_path(call.path)
    except RequestError as error:
        return str(error)
    return ""


def _reading(call: AnnouncedCall) -> Operation | None:
    """The operation of a call that is known to change nothing; None for any other call."""
    operation = match_operation(call.method, call.path)
    if operation is None or operation.signed or operation.operation_class != "read":
        return None
    return operation
