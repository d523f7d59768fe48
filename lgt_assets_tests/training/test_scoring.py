from lgt_assets.training.held_out import IN_DOMAIN, OPEN_FORM, questions
from lgt_assets.training.scoring import counted, is_right, text_of


def test_the_taught_replies_are_right_and_no_reply_is_wrong() -> None:
    for suite in (IN_DOMAIN, OPEN_FORM):
        asked = questions(suite, 20)
        assert all(is_right(one, one.example.reply) for one in asked)
        assert not any(is_right(one, "") for one in asked)
        assert [text_of(one) for one in asked] == [one.example.user for one in asked]


def test_counts_are_by_type_and_of_all_with_intervals() -> None:
    asked = questions(IN_DOMAIN, 10)
    rows = {row.kind: row.as_dict() for row in counted(asked, [asked[0].example.reply, *[""] * 9])}
    assert (rows["all"]["right"], rows["all"]["n"], rows["Recognition"]["n"]) == (1, 10, 2)
    assert rows["all"]["low"] < 0.1 < rows["all"]["high"]
    assert rows["Recognition"]["accuracy"] == rows["Recognition"]["well_formed"] == 0.5
