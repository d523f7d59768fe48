"""Bodies of chat completions as requests of ours: what a server reads out of what the client wrote."""

import base64
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from lgt_assets.engines.base import ImageReference, Message, Request, Sampling


def _write_whole(path: Path, content: bytes) -> None:
    """Write under a name of its own, then rename: a request that comes meanwhile never reads half a picture."""
    handle, partial = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(partial, path)


def read_request(body: dict[str, Any], folder: Path) -> Request:
    """Our Request from a chat completion's body; pictures are written to ``folder`` under their sha256."""
    turns = [_message(turn, folder) for turn in body["messages"]]
    prefix = ""
    if body.get("continue_final_message"):
        if body.get("add_generation_prompt", True):
            raise ValueError("Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
        prefix = turns.pop().text
    sampling = Sampling(
        temperature=body.get("temperature", 1.0),
        top_p=body.get("top_p", 1.0),
        top_k=max(0, body.get("top_k", 0)),
        max_tokens=body.get("max_tokens", 16),
        stop=tuple(body.get("stop") or ()),
        include_stop=body.get("include_stop_str_in_output", False),
        bad_words=tuple(body.get("bad_words") or ()),
        choice=tuple(body.get("structured_outputs", {}).get("choice", ())),
    )
    return Request(tuple(turns), sampling, seed=body.get("seed", 0), prefix=prefix)


def _message(turn: dict[str, Any], folder: Path) -> Message:
    if isinstance(turn["content"], str):
        return Message(turn["role"], turn["content"])
    text, images = "", []
    for part in turn["content"]:
        if part["type"] == "text":
            text += part["text"]
            continue
        head, _comma, data = part["image_url"]["url"].partition(",")
        if not head.startswith("data:image/") or not head.endswith(";base64"):
            raise ValueError(f"not a picture's data address: {head[:40]!r}")
        content = base64.b64decode(data, validate=True)
        sha256 = hashlib.sha256(content).hexdigest()
        _write_whole(folder / sha256, content)
        images.append(ImageReference(sha256, str(folder / sha256)))
    return Message(turn["role"], text, tuple(images))
