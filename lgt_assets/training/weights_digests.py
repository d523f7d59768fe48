"""What tells weights apart, read a part at a time: a model's files may be larger than memory."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lgt_assets.post_training_settings import PostTrainingSettings
from lgt_assets.training.learners import CPU_STUDENT

_PART = 1 << 20  # bytes


def weights_digest(start: Path, learner: PostTrainingSettings = CPU_STUDENT) -> str:
    """Sixteen hexadecimal digits of the weights that a training starts from, or the hub's name and revision."""
    if learner.is_student:
        return files_digest([start / "model.safetensors"])
    if not start.is_dir():
        return f"{start}@{learner.revision or 'main'}"
    hashed = hashlib.blake2b(digest_size=8)
    for path in sorted(start.glob("*.safetensors")):
        with path.open("rb") as content:
            hashed.update(hashlib.file_digest(content, "blake2b").digest())
    return hashed.hexdigest()


def files_digest(paths: Sequence[Path]) -> str:
    """Sixteen digits of :func:`.identity.digest` of the files' hexadecimal contents, which records and tables hold."""
    hashed = hashlib.sha256(b"[[")
    for number, path in enumerate(paths):
        hashed.update(b'"' if number == 0 else b',"')
        with path.open("rb") as content:
            while part := content.read(_PART):
                hashed.update(part.hex().encode())
        hashed.update(b'"')
    hashed.update(b"]]")
    return hashed.hexdigest()[:16]
