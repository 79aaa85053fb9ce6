"""Stands between a process and the Cloud KMS emulator, and can kill the process at a call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import grpc

from dfns_signers.closing import Closing
from tests.support.relay import Killing


class GrpcRelay(Closing):
    """Passes every call on to a server; ``killing`` names it by its method."""

    def __init__(self, target: str) -> None:
        self.killing = Killing()
        self._channel = grpc.insecure_channel(target)
        self._pool = ThreadPoolExecutor(4)
        options = [("grpc.so_reuseport", 0)]
        self._server = grpc.server(self._pool, handlers=[_Handler(self)], options=options)
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(grace=None).wait()
        self._pool.shutdown()
        self._channel.close()

    def _call(self, method: str) -> Any:
        return self._channel.unary_unary(method, _as_it_is, _as_it_is)

    def answer(self, method: str, request: bytes, context: Any) -> bytes:
        try:
            answer: bytes = self._call(method)(request, timeout=30)
        except grpc.RpcError as refusal:
            failed: Any = refusal
            context.set_trailing_metadata(failed.trailing_metadata())
            context.abort(failed.code(), failed.details())
            raise
        if self.killing.carried_out(method.rpartition("/")[2]):
            context.abort(grpc.StatusCode.UNAVAILABLE, "the process was killed")
        return answer


def _as_it_is(message: bytes) -> bytes:
    return message


class _Handler(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in stubs only
    def __init__(self, relay: GrpcRelay) -> None:
        self._relay = relay

    def service(self, call: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(partial(self._relay.answer, call.method))
