"""The arithmetic of plans: by hand for one, by property for all."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgt_assets.costs import Rate, Rates
from lgt_assets.errors import SettingsError
from lgt_assets.planning.effort import Speed
from lgt_assets.planning.figures import ASSUMED, Figure
from lgt_assets.planning.room import SHARD_ASSETS
from lgt_assets.planning.run_plan import RunPlan, plan_run
from lgt_assets.planning.size import Size, wished
from lgt_assets.prompts.templates import prompt_set, template_tokens
from lgt_assets.settings import load_profile

PROFILE = load_profile("paper")
NAMES = {role: PROFILE.models[settings.model].model for role, settings in PROFILE.roles.items()}
TEMPLATES = template_tokens(prompt_set(PROFILE.prompts), PROFILE.roles)
NOTHING = Rates({}, {}, {})
SPEEDS = {"vision": Speed(1000.0, 10_000.0, "a test"), "reasoning": Speed(500.0, None, "a test")}
SIZES = st.builds(
    Size, st.integers(1, 10**6).map(float), st.floats(10, 100), st.floats(0, 9), st.integers(1, 20).map(float),
    st.integers(1, 4).map(float), st.integers(1, 12).map(float), st.integers(1, 512).map(float),
)  # fmt: skip


def planned(size: Size, rates: Rates = NOTHING, speeds: dict = SPEEDS, **given: object) -> RunPlan:
    given = {"gpus": 8, "row_bytes": {}, "dollars_per_gpu_hour": 2.0} | given
    return plan_run(
        size, PROFILE, ASSUMED, rates=rates, model_names=NAMES, template_tokens=TEMPLATES, speeds=speeds, **given
    )


def amounts(plan: RunPlan) -> list[float]:
    lines = [
        value
        for one in plan.efforts
        for value in asdict(one).values()
        if isinstance(value, float) and value is not None
    ]
    return [*lines, *(table.bytes for table in plan.tables), *plan.yields().values(), plan.event_log_bytes,
            plan.wall_days or 0.0, plan.total("dollars") or 0.0, plan.size.shards]  # fmt: skip


@given(SIZES, st.integers(2, 1000))
def test_everything_grows_with_the_pictures(size: Size, factor: int) -> None:
    once, often = planned(size), planned(size.scaled(factor))
    assert amounts(often) == pytest.approx([factor * amount for amount in amounts(once)], rel=1e-9)


@given(SIZES, st.floats(1, 50))
def test_work_downstream_grows_with_the_questions(size: Size, factor: float) -> None:
    more = Size(**asdict(size) | {
        "questions_per_image": size.questions_per_image * factor, "composed_per_image": size.composed_per_image * factor
    })  # fmt: skip
    once, often = planned(size), planned(more)
    judged = size.shards * PROFILE.expand.behaviour_sample  # a sample of each shard, however full it is
    for one, other in zip(once.efforts, often.efforts, strict=True):
        fixed = judged if (one.asset, one.role) == ("expanded_traces", "verifier") else 0.0
        assert other.requests - fixed == pytest.approx(factor * (one.requests - fixed), rel=1e-9)


@given(SIZES, st.integers(1, 4096))
def test_more_gpus_take_less_time_and_the_same_hours(size: Size, gpus: int) -> None:
    one, many = planned(size, gpus=1), planned(size, gpus=gpus)
    assert many.total("gpu_hours") == one.total("gpu_hours")
    assert (many.wall_days or 0) * gpus == pytest.approx(one.wall_days)


def test_one_plan_by_hand() -> None:
    size = Size(640, 10, 2, samples=10, chains_per_question=2, expansions=3)
    plan = planned(size)
    requests = {(one.asset, one.role): one.requests for one in plan.efforts}
    seeds, composed = 640 * 8 / 0.5, 640 * 2 / 0.5
    assert requests == {
        ("seed_questions", "questioner"): seeds / 2,
        ("seed_questions", "verifier"): seeds * (3 + 5),
        ("composed_questions", "composer"): composed,
        ("composed_questions", "verifier"): composed * (3 + 5 + 5 * 4),
        ("distilled_cots", "vlm"): 64_000,
        ("expanded_traces", "reasoner"): 38_400,
        ("expanded_traces", "verifier"): 38_400 + 10 * 32,
    }
    vlm = next(one for one in plan.efforts if one.role == "vlm")
    assert vlm.new_tokens == 64_000 * 256 and vlm.most_new_tokens == 64_000 * 1024
    assert vlm.prompt_tokens == pytest.approx(64_000 * (1280 + 80 + TEMPLATES["vlm"]))
    assert vlm.gpu_hours == pytest.approx((vlm.new_tokens / 1000 + vlm.prompt_tokens / 10_000) / 3600)
    assert vlm.dollars == pytest.approx(2 * (vlm.gpu_hours or 0))
    assert plan.yields() == {"preference_pairs": pytest.approx(6400 * 0.129), "sft_mix": pytest.approx(6400 * 0.753)}
    assert plan.event_log_bytes == 10 * SHARD_ASSETS * 176_000


def test_the_papers_run_is_the_default() -> None:
    plan = planned(wished(PROFILE))
    assert (plan.size.images, plan.size.questions) == (15_000, pytest.approx(1e6))
    assert plan.yields() == {"preference_pairs": pytest.approx(129_000), "sft_mix": pytest.approx(753_000)}


def test_what_was_measured_counts_before_what_is_assumed_and_what_is_given_before_both() -> None:
    rates = Rates({("distilled_cots", "vlm", NAMES["vlm"]): Rate(900.0, 300.0, 0.5)}, {}, {})
    size = wished(PROFILE)
    measured = planned(size, rates, speeds={}, row_bytes={"distilled_cots": Figure(77.0, "measured", "here")})
    vlm = next(one for one in measured.efforts if one.role == "vlm")
    assert (vlm.tokens_basis, vlm.hours_basis) == ("measured", "measured")
    assert vlm.new_tokens == pytest.approx(300e7) and vlm.gpu_hours == pytest.approx(1e7 * 0.5 / 3600)
    assert next(table for table in measured.tables if table.table == "distilled_cots").bytes == pytest.approx(77e7)
    reasoner = next(one for one in measured.efforts if one.role == "reasoner")
    assert (reasoner.tokens_basis, reasoner.gpu_hours, reasoner.dollars) == ("assumed", None, None)
    assert measured.wall_days is None and measured.total("gpu_hours") is None
    assert {figure.basis for figure in measured.figures.values()} == {"measured", "given", "assumed"}
    given = next(one for one in planned(size, rates).efforts if one.role == "vlm")
    assert given.hours_basis == "given" and given.tokens_basis == "measured"


def test_every_line_rests_on_figures_that_name_their_source() -> None:
    plan = planned(wished(PROFILE))
    assert all(figure.source and figure.value > 0 for figure in plan.figures.values())
    for one in plan.efforts:
        new = plan.figures[f"{one.asset}.{one.role}.new_tokens"]
        assert one.new_tokens == pytest.approx(one.requests * new.value)


def test_more_composed_questions_than_questions_are_refused() -> None:
    with pytest.raises(SettingsError, match="cannot hold 3 composed ones"):
        wished(PROFILE, images=1000, questions=2000)
