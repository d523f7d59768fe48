"""An OpenAI-compatible server without a model: every answer follows by rule from the request alone, so runs can be compared.

``python -m benchmarks.crash_parts.answering_server`` prints its port as JSON and serves until killed.
"""

import argparse
import asyncio
import hashlib
import json
import re
from pathlib import Path

from aiohttp import web

MODEL = "answers-by-rule"
_CHOICE = re.compile(r"\(([A-D])\) (.*?)(?= \([A-D]\) |$)", re.MULTILINE)
_QUESTION = re.compile(r"^Question: (.*)$", re.MULTILINE)
_FOCUS = re.compile(r"^Focus: (.*)\.$", re.MULTILINE)
_TYPE = re.compile(r"Write a (.*) question\.")
_PARENT = re.compile(r"^Question \d: (.*?) \(A\)", re.MULTILINE)
_COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "white", "black")


def number(*parts: object) -> int:
    """A number that ``parts`` decide."""
    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:12], 16)


def right_letter(question: str, choices: list[tuple[str, str]]) -> str:
    """The letter of the choice that counts as right: the question and the texts decide, not their order."""
    return min(choices, key=lambda choice: number(question, choice[1]))[0]


def answer_text(prompt: str, prefix: str, seed: int) -> str:
    """The completion of a prompt of the set `embedded`."""
    if found := _TYPE.search(prompt):
        focus = _FOCUS.search(prompt)
        return written(
            f"Which {found[1].lower()} fits {focus[1] if focus else 'it'} number {number(prompt, seed) % 997}?", seed
        )
    if "Compose one" in prompt:
        return written(f"Given {' and '.join(_PARENT.findall(prompt))} which fits number {number(prompt) % 997}?", seed)
    question, choices = _QUESTION.search(prompt), _CHOICE.findall(prompt)
    if not question or not choices:
        return "nothing"
    return reasoned(prompt, question[1], choices, prefix, seed)


def written(question: str, seed: int) -> str:
    """A question as a writer writes it."""
    start = number(question, seed) % len(_COLOURS)
    texts = [_COLOURS[(start + step) % len(_COLOURS)] for step in range(4)]
    choices = list(zip("ABCD", texts, strict=True))
    lines = " ".join(f"({letter}) {text}" for letter, text in choices)
    letter = right_letter(question, choices)
    return (
        f"<question>{question}</question><choices>{lines}</choices><answer>({letter}) {dict(choices)[letter]}</answer>"
    )


def reasoned(prompt: str, question: str, choices: list[tuple[str, str]], prefix: str, seed: int) -> str:
    """A thought and an answer: right when facts are told, wrong when they are withheld, a matter of the seed for the VLM."""
    right = right_letter(question, choices)
    wrong = next(letter for letter, _text in choices if letter != right)
    if "Use only these facts" in prompt:
        letter = right if "Caption:" in prompt else wrong
    else:
        letter = right if number(prompt, prefix, seed) % 10 < 6 else wrong
    added = f"Looking closely at part {number(prompt, prefix, seed) % 9973} of it, this seems to be so."
    text = dict(choices)[letter]
    answer = f"({letter}) {text}" if "letter and text" in prompt else f"({letter})"
    return f"{'' if prefix else '<think> '}{added} </think><answer>{answer}</answer>"


class Server:
    """Answers after ``delay`` seconds, give or take half of it by rule."""

    def __init__(self, delay: float, log: str, refuse: str = "") -> None:
        self.delay, self.refuse = delay, Path(refuse) if refuse else None
        self.log = open(log, "a", buffering=1) if log else None

    async def completions(self, http: web.Request) -> web.Response:
        """One chat completion."""
        content = await http.read()
        if self.log is not None:
            self.log.write(hashlib.sha256(content).hexdigest() + "\n")
        body = json.loads(content)
        turns = [turn["content"] for turn in body["messages"]]
        prefix = turns.pop() if body.get("continue_final_message") else ""
        last = turns[-1] if isinstance(turns[-1], str) else "".join(part.get("text", "") for part in turns[-1])
        if self.refuse is not None and self.refuse.exists() and self.refuse.read_text() in last:
            return web.json_response({"error": {"message": "the prompt is too long"}}, status=400)
        text = answer_text(last, prefix, body.get("seed", 0))
        await asyncio.sleep(self.delay * (0.5 + number(text) % 1000 / 1000))
        usage = {"prompt_tokens": len(last.split()), "completion_tokens": len(text.split())}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return web.json_response({"model": MODEL, "choices": [choice], "usage": usage})

    async def models(self, _http: web.Request) -> web.Response:
        """The one model."""
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


async def serve(port: int, delay: float, log: str, refuse: str) -> None:
    """Listen on 127.0.0.1 until killed."""
    server = Server(delay, log, refuse)
    application = web.Application(client_max_size=64 << 20)
    application.router.add_post("/v1/chat/completions", server.completions)
    application.router.add_get("/v1/models", server.models)
    application.router.add_get("/health", lambda _http: web.Response(text="ok"))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.01)
    parser.add_argument(
        "--log", default="", help="file that gets a line, the sha256 of its body, for each request that comes"
    )
    parser.add_argument(
        "--refuse", default="", help="file with a text: prompts that hold it are refused, while it is there"
    )
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.delay, arguments.log, arguments.refuse))


if __name__ == "__main__":
    main()
