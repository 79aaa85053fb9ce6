"""A signer that follows its profile: made anew when the configuration file changes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from dfns_signers.announced_call import AnnouncedCall, CallAnswer
from dfns_signers.assertions import Assertion, read_challenge, require_allowed
from dfns_signers.config.followed_profile import Begun, FollowedProfile, InUse
from dfns_signers.config.loading import LoadedProfile
from dfns_signers.errors import (
    ChallengeError,
    CredentialNotAllowedError,
)
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner, Signer
from dfns_signers.signing_key import SigningKey


class ReloadingSigner(KeySigner):
    """Signs with what the configuration file says at the moment.

    The file is looked at when a call begins, at most every second, and when a challenge does not
    allow the credential: it may have been replaced and deactivated within that second. A call signs
    with the signer that it began with, which is closed once no call has it any more. A
    configuration that cannot be loaded, names another ``base_url``, or whose key cannot be opened,
    leaves the former signer at work, with a warning in the log.

    Args:
        loaded: the profile as it was loaded.
        profile: what was asked for then; None for the default profile.
        settings: the arguments that override settings of the profile.

    Raises:
        ConfigurationError: the profile is not in a file, or lacks a setting.
    """

    def __init__(
        self, loaded: LoadedProfile, profile: str | None, settings: Sealed[dict[str, Any]]
    ) -> None:
        # Without that of KeySigner, whose key this one does not have for good.
        self.profile = loaded.name
        self._followed = FollowedProfile(loaded, profile, settings)
        self._begun: Begun | None = None
        self._call = None

    @property
    def credential_id(self) -> str:  # type: ignore[override]  # follows the file
        """``credId`` of the credential that calls sign with at the moment."""
        return self._followed.in_use.signer.credential_id

    @property
    def key(self) -> SigningKey:
        """The signing key of the moment, opened if it was not; closed once it is replaced.

        Raises:
            SigningKeyError: it cannot be opened, or the signer was closed before it was.
        """
        return self._followed.in_use.signer.key

    async def aopen(self) -> SigningKey:
        """The signing key, opened in a worker thread if it was not; raises as ``key`` does."""
        return await self._followed.in_use.signer.aopen()

    def sign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Answer a challenge; arguments, result and errors are those of ``KeySigner.sign``."""
        in_use = self._followed.settled(self._begun or self._followed.begin())
        if not _allows(challenge, in_use):
            in_use = self._followed.settled(self._followed.begin(at_once=True))
        return self._keeping(in_use).sign(challenge)

    async def asign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Like ``sign``, without blocking the event loop."""
        in_use = await self._followed.asettled(self._begun or self._followed.begin())
        if not _allows(challenge, in_use):
            in_use = await self._followed.asettled(self._followed.begin(at_once=True))
        return await self._keeping(in_use).asign(challenge)

    def for_call(self, call: AnnouncedCall) -> KeySigner:
        """A signer for the challenge of one call, which keeps what the call begins with."""
        bound = copy.copy(self)
        bound._call, bound._begun = call, self._followed.begin()  # noqa: SLF001  # its own copy
        return bound

    @property
    def observes_answers(self) -> bool:
        """Whether a plugin wants to know what came of a call."""
        return self._begun is not None and self._begun[0].signer.observes_answers

    @property
    def hooks_may_block(self) -> bool:
        """Whether ``answered`` may wait for something."""
        return self._begun is not None and self._begun[0].signer.hooks_may_block

    def answered(self, answer: CallAnswer) -> None:
        """Show the plugins what came of the call that this signer was made for."""
        if self._begun is not None and self._call is not None:
            self._begun[0].signer.for_call(self._call).answered(answer)

    def _keeping(self, in_use: InUse) -> Signer:
        if self._call is None:
            return in_use.signer
        self._begun = in_use, None
        return in_use.signer.for_call(self._call)

    def close(self) -> None:
        """Close every key that is open, and follow the file no more."""
        self._followed.close()

    def __repr__(self) -> str:
        signer = self._begun[0].signer if self._begun else self._followed.in_use.signer
        return repr(signer)


def _allows(challenge: Mapping[str, Any], in_use: InUse) -> bool:
    """Whether a challenge allows a signer; a malformed one is left for the signer to refuse."""
    try:
        read_challenge(challenge)
        require_allowed(challenge, in_use.signer.credential_id)
    except CredentialNotAllowedError:
        return False
    except ChallengeError:
        pass
    return True
