"""Whether a server is up, and serves the model it is to serve."""

import os
import urllib.error
import urllib.request

from lgt_assets.engines.openai_protocol import GarbageAnswer, WrongServer, read_models
from lgt_assets.errors import EngineError
from lgt_assets.serving.server_command import Server

_SECONDS = 5.0
_MOST_BYTES = 1_000_000
# The server is on this machine: no proxy lies between.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_healthy(server: Server) -> bool:
    """Whether it answers /health, and lists the model under /v1/models; False while it is loading.

    Raises:
        EngineError: it serves another model, or will not take the key.
    """
    try:
        _get(server, f"{server.base}/health")
        listed = _get(server, f"{server.endpoint}/models")
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise EngineError(
                f"{server.endpoint} answers {error.code}: put its key into the variable that api_key_env names"
            ) from error
        return False
    except OSError:
        return False
    try:
        read_models(listed, server.served)
    except GarbageAnswer:
        return False
    except WrongServer as error:
        raise EngineError(f"{server.endpoint}: {error}") from error
    return True


def _get(server: Server, address: str) -> bytes:
    key = os.environ.get(server.key_env, "") if server.key_env else ""
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {key}"} if key else {})
    with _opener.open(request, timeout=_SECONDS) as response:
        return response.read(_MOST_BYTES)
