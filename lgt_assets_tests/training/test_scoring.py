import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lgt_assets.errors import EngineError
from lgt_assets.training.held_out import IN_DOMAIN, OPEN_FORM, questions
from lgt_assets.training.scoring import Answered, answered, counted, is_right, request_of, text_of
from lgt_assets.training.students import student_folder


def test_the_taught_replies_are_right_and_no_reply_is_wrong() -> None:
    for suite in (IN_DOMAIN, OPEN_FORM):
        asked = questions(suite, 20)
        assert all(is_right(one, one.example.reply) for one in asked)
        assert not any(is_right(one, "") for one in asked)
        assert [text_of(one) for one in asked] == [one.example.user for one in asked]


def test_counts_are_by_type_by_hops_and_of_all_with_intervals() -> None:
    answers = [Answered(one, "", 3, False, False) for one in questions(IN_DOMAIN, 10)]
    answers[0] = replace(answers[0], is_right=True, is_well_formed=True)
    rows = {row.kind: row.as_dict() for row in counted(answers)}
    assert (rows["all"]["right"], rows["all"]["n"], rows["all"]["tokens"]) == (1, 10, 30)
    assert rows["all"]["low"] < 0.1 < rows["all"]["high"]
    assert (rows["Recognition"]["right"], rows["Recognition"]["n"], rows["Recognition"]["well_formed"]) == (1, 2, 1)
    assert (rows["hops: 1"]["n"], rows["hops: 2"]["n"]) == (8, 2)


@pytest.mark.slow
def test_a_model_is_asked_in_order_and_the_same_again(tmp_path: Path) -> None:
    asked, told = questions(IN_DOMAIN, 3), []
    answers, seconds = answered(student_folder(), asked, tmp_path, progress=lambda *done: told.append(done))
    assert [one.question for one in answers] == asked and all(one.reply and one.tokens for one in answers)
    assert told == [(1, 3), (2, 3), (3, 3)] and seconds > 0
    assert [one.reply for one in answered(student_folder(), asked, tmp_path)[0]] == [one.reply for one in answers]
    assert len(list(tmp_path.glob("*.png"))) == 3


def test_a_half_written_picture_is_written_again_and_none_is_ever_in_its_place(tmp_path: Path) -> None:
    (question,) = questions(IN_DOMAIN, 1)
    picture = Path(request_of(question, tmp_path / "pictures", 0).messages[0].images[0].uri)
    content = picture.read_bytes()
    picture.write_bytes(content[:100])
    request_of(question, tmp_path / "pictures", 0)
    assert picture.read_bytes() == content and list(picture.parent.iterdir()) == [picture]
    # Killed while it writes: a disk that is full after a hundred bytes ends a process as a signal would.
    picture.unlink()
    program = f"""
import resource, sys
from pathlib import Path
from lgt_assets.training.held_out import IN_DOMAIN, questions
from lgt_assets.training.scoring import request_of
(question,) = questions(IN_DOMAIN, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
request_of(question, Path({str(picture.parent)!r}), 0)
"""
    ended = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    assert "File too large" in ended.stderr
    assert not picture.exists()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        answered(tmp_path / "none", questions(IN_DOMAIN, 1), tmp_path)
