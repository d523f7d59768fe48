import tracemalloc
from pathlib import Path

import pytest

from lgt_assets.identity import digest
from lgt_assets.training.evaluations import ScoredModel
from lgt_assets.training.weights_digests import files_digest, weights_digest


def test_digests_are_those_that_tables_and_records_hold_already(tmp_path: Path) -> None:
    contents = {"model.safetensors": bytes(range(256)) * 9000, "model-2.safetensors": b"two"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    before = digest([contents[name].hex() for name in sorted(contents)])[:16]
    assert ScoredModel(tmp_path, "r", "sft", "long", "0", tmp_path).names()["weights"] == before
    assert weights_digest(tmp_path) == digest([contents["model.safetensors"].hex()])[:16]
    assert files_digest([]) == digest([])[:16]


@pytest.mark.parametrize("digest_of", [weights_digest, lambda folder: files_digest(list(folder.iterdir()))])
def test_no_file_is_held_in_memory_whole(digest_of, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(bytes(32 << 20))
    tracemalloc.start()
    try:
        digest_of(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
