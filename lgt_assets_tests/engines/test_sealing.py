"""Sealing: the quick way from journal to chunk gives what the careful way gives."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.engines.base import Completion, Message, Request, Sampling
from lgt_assets.engines.completion_records import completion_record, encode_completion
from lgt_assets.engines.journal import MAGIC, encode_record
from lgt_assets.engines.scripted import SCRIPTED_IDENTITY
from lgt_assets.engines.sealing import Unsealed, _read, _read_quickly
from lgt_assets.engines.stored_files import JournalFile

RECORDS = st.builds(
    lambda key, prompt, text, seed, seconds, endpoint: completion_record(
        Request((Message("user", prompt),), Sampling(stop=(prompt,)), seed=seed, prefix=text),
        Completion(f"{key:064x}", text, "stop", 3, 2, seed, seconds, endpoint),
        asset="seed_questions", role="vlm", engine_kind="scripted", identity=SCRIPTED_IDENTITY,
    ),
    st.integers(0, 50), st.text(st.characters()), st.text(st.characters()), st.integers(0, 2**31), st.floats(0, 1e18),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)  # fmt: skip


@given(RECORDS)
def test_a_completion_is_encoded_as_any_record(record: dict) -> None:
    assert encode_completion(record) == encode_record(record)


@given(st.lists(RECORDS, min_size=1, max_size=20))
def test_both_ways_of_reading_agree(tmp_path_factory, records: list[dict]) -> None:
    path: Path = tmp_path_factory.mktemp("journal") / "journal"
    path.write_bytes(MAGIC + b"".join(map(encode_completion, records)) + b"torn")
    group = [Unsealed(0, JournalFile(path), is_own=True)]
    careful, quick = _read(group), _read_quickly(group)
    group[0].file.close()
    if len({record["request_key"] for record in records}) < len(records):
        assert quick is None  # which of two counts is not to be settled in a hurry
    else:
        assert quick is not None and quick.rows.equals(careful.rows)
        assert (quick.encoded, quick.faults) == (careful.encoded, careful.faults)
        assert careful.faults[0]


def test_journals_of_others_are_read_with_care(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(MAGIC + encode_record({"foreign": 1}))
    file = JournalFile(tmp_path / "journal")
    assert _read_quickly([Unsealed(0, file, is_own=False)]) is None
    assert not _read([Unsealed(0, file, is_own=False)]).encoded
    file.close()
