"""The notebooks run on real tables that the embedded model made, without an error, and show what they promise."""

import base64
import io
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from lgt_assets.schemas import frame
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.planted import Bed, Planting
from lgt_assets_tests.rows import image_row, question_row

FOLDER = Path(__file__).parent.parent / "notebooks"
TOUR, QUALITY, COMPARE = "01_tour_of_one_image", "02_quality_report", "03_compare_two_prompts_or_models"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strict(bed: Bed) -> Planting:
    """A copy of the whole bed whose compositions were made again by a stricter profile."""
    bed.grow("rl_prompts")
    return bed.plant("composed_questions", {}, compose={"minimum_necessity": 1.0})


def run(name: str, state: Path, **variables: str) -> list[dict]:
    """All outputs of a notebook, in order; an error in a cell is raised."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LGT_")}
    environment |= {"LGT_STATE": str(state), "MPLBACKEND": "module://matplotlib_inline.backend_inline"} | variables
    NotebookClient(notebook, kernel_name="python3", timeout=300).execute(env=environment)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"], outputs
    return outputs


def texts(outputs: list[dict]) -> str:
    """What is printed and displayed as text."""
    shown = (output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)
    return "\n".join(shown)


def pictures(outputs: list[dict]) -> list[Image.Image]:
    """Pictures that are displayed, decoded."""
    contents = (output.get("data", {}).get(kind) for output in outputs for kind in ("image/png", "image/jpeg"))
    return [Image.open(io.BytesIO(base64.b64decode(content))) for content in contents if content]


def test_the_tour_shows_a_picture_with_everything_made_of_it(bed: Bed) -> None:
    bed.grow("rl_prompts")
    outputs = run(TOUR, bed.state)
    text = texts(outputs)
    (picture,) = pictures(outputs)
    assert picture.format == "JPEG" and max(picture.size) > 100
    captions = {row["image_id"]: row["caption"] for row in bed.rows("images")}
    (shown,) = [image_id for image_id, caption in captions.items() if caption in text]
    questions = bed.rows("seed_questions", image_id=shown)
    assert questions and all(row["question"] in text for row in questions)
    for words in ("preference_pairs", "sft_mix", "rl_prompts", "transition", "reasoner"):
        assert words in text, words


def test_a_picture_may_be_named(bed: Bed) -> None:
    bed.grow("rl_prompts")
    image = bed.rows("images")[-1]
    assert image["caption"] in texts(run(TOUR, bed.state, LGT_IMAGE=image["image_id"]))


def test_the_quality_report_has_the_funnel_and_plots(bed: Bed) -> None:
    bed.grow("rl_prompts")
    outputs = run(QUALITY, bed.state)
    text = texts(outputs)
    assert str(len(bed.rows("distilled_cots"))) in text
    reasons = {row["reason"] for row in bed.rows("rejections")}
    assert reasons and all(reason in text for reason in reasons)
    (plots,) = pictures(outputs)
    assert len(plots.convert("RGB").getcolors(1 << 24)) > 50  # not an empty sheet
    assert "key_agreement" in text and "parents_rate" in text


def test_two_versions_of_one_folder_are_compared(strict: Planting) -> None:
    outputs = run(COMPARE, strict.state)
    text = texts(outputs)
    assert "rejected: not_necessary" in text or "parent gone" in text
    assert len(pictures(outputs)) == 1
    kept = f"┆ {len(strict.rows)} "
    assert "accepted: composed_questions" in text and kept in text


def test_a_run_over_two_shards_is_compared_with_the_state_before_it(tmp_path: Path) -> None:
    store = DeltaStore(str(tmp_path / "tables"))
    images = [image_row(shard="made-00000"), image_row(shard="made-00001")]
    for number in range(2):  # a run each; another question of each picture
        for image in images:
            shard, run_of = image["shard"], {"run_id": f"run {number}"}
            rejections = frame("rejections", [])
            store.replace("rejections", rejections, shard=shard, asset="seed_questions", metadata=run_of)
            question = question_row(image, [], number) | {"ordinal": 0}
            store.replace("seed_questions", frame("seed_questions", [question]), shard=shard, metadata=run_of)
    latest = store.version("seed_questions")
    text = texts(run(COMPARE, tmp_path, LGT_TABLE="seed_questions"))
    assert f"2 pictures in 2 shards; seed_questions, version {latest - 2} to {latest}" in text
    text = texts(run(COMPARE, tmp_path, LGT_TABLE="seed_questions", LGT_FROM_VERSION=str(latest - 1)))
    assert f"seed_questions, version {latest - 1} to {latest}" in text


def test_two_folders_are_compared(bed: Bed, strict: Planting) -> None:
    outputs = run(COMPARE, strict.state, LGT_OTHER_STATE=str(bed.state))
    text = texts(outputs)
    lost = len(bed.rows("composed_questions")) - len(strict.rows)
    assert lost > 0 and "two folders" in text and f"removed ┆ {lost}" in " ".join(text.split())


@pytest.mark.parametrize("name", [TOUR, QUALITY, COMPARE])
def test_notebooks_are_kept_without_outputs(name: str) -> None:
    cells = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]
