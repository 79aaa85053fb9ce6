"""The contract that a backend plugin fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from dfns_signers.backends.options import BackendOptions
from dfns_signers.signing_key import SigningKey

OptionsT = TypeVar("OptionsT", bound=BackendOptions)


class Backend(ABC, Generic[OptionsT]):
    """Opens signing keys of one key store.

    Its name in the configuration is the name of its entry point in the group ``dfns_signers``.

    Attributes:
        options: pydantic model of the ``[signer]`` table, without ``backend``.
    """

    options: ClassVar[type[BackendOptions]]

    @abstractmethod
    def open(self, options: OptionsT) -> SigningKey:
        """Open one key: find it, read its public key, and prove that it can sign.

        May block; it is called in a worker thread from asynchronous code. The framework then
        compares the fingerprint, if the options pin one.

        Raises:
            SigningKeyError: the key is missing, denied, disabled, or of a kind that Dfns does not
                accept.
        """
