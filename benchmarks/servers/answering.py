"""An OpenAI-compatible server that answers anything with one text after 20 ms, with as little work as can be.

``python -m benchmarks.servers.answering`` prints its port and serves until killed.
"""

import asyncio
import json

ANSWER_SECONDS = 0.02
TEXT = (
    "<think> The picture shows a red circle on the left and two blue squares on the right. Counting them one by one gives "
    "three shapes, of which one is red. </think> <answer>(B) three</answer>"
)


class AnsweringServer(asyncio.Protocol):
    """Reads a request to its end and answers it after :data:`ANSWER_SECONDS`; as little work as can be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        self._transport, self._head, self._left = transport, bytearray(), 0

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._left:
            self._left -= len(data)
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            lengths = [
                int(h[15:]) for h in bytes(self._head[:end]).lower().split(b"\r\n") if h.startswith(b"content-length:")
            ]
            self._left = sum(lengths) - (len(self._head) - end - 4)
            self._reply = MODELS if self._head.startswith(b"GET") else COMPLETION
            self._head.clear()
        if self._left <= 0:
            self._left = 0
            asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._transport.write, self._reply)


def _http(answer: dict) -> bytes:
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


MODELS = _http({"object": "list", "data": [{"id": "m", "object": "model"}]})
COMPLETION = _http({
    "id": "chatcmpl-0", "object": "chat.completion", "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 300, "completion_tokens": 60, "total_tokens": 360,
              "prompt_tokens_details": {"cached_tokens": 200}},
})  # fmt: skip


async def serve() -> None:
    """Listen until killed; the port is printed."""
    server = await asyncio.get_running_loop().create_server(AnsweringServer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
