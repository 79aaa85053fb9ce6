"""A running local server and the keys that tests make on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from dfns_signers.signing_key import SigningKey
from dfns_signers_aws_kms.options import AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from dfns_signers_testkit.aws import LocalKms
from dfns_signers_testkit.aws_keys import local_client

_number = itertools.count()


class Store:
    """One real server; keys of a spec are made once."""

    def __init__(self, server: LocalKms) -> None:
        self.server = server
        self.name = server.product.name
        self.url = server.url
        self._shared: dict[str, str] = {}

    @cached_property
    def client(self) -> Any:
        return local_client(self.url)

    def arn(self, spec: str) -> str:
        """A key that all tests share; none may change it."""
        if spec not in self._shared:
            self._shared[spec] = self.create(spec)
        return self._shared[spec]

    def create(self, spec: str, usage: str = "SIGN_VERIFY", **members: Any) -> str:
        """A key of its own."""
        answer = self.client.create_key(KeySpec=spec, KeyUsage=usage, **members)
        return str(answer["KeyMetadata"]["Arn"])

    def alias(self, arn: str) -> str:
        """A new alias of a key."""
        name = f"alias/test-{next(_number)}"
        self.client.create_alias(AliasName=name, TargetKeyId=arn)
        return name

    def keys(self) -> list[str]:
        """The ids of all keys."""
        pages = self.client.get_paginator("list_keys").paginate()
        return [key["KeyId"] for page in pages for key in page["Keys"]]

    def options(self, key_id: str, **changes: Any) -> AwsKmsOptions:
        settings = self.server.signer(key_id) | changes
        del settings["backend"]
        return AwsKmsOptions(**settings)

    @contextmanager
    def opened(self, key_id: str, **changes: Any) -> Iterator[SigningKey]:
        with AwsKmsBackend().open(self.options(key_id, **changes)) as key:
            yield key
