"""Pictures that came without boxes, or without captions, through real runs: a tiny Grounding DINO, and models that write."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from PIL import Image

from lgt_assets import runs
from lgt_assets.assets.needs import needed
from lgt_assets.assets.registration import register
from lgt_assets.checks.evaluation import latest_materialization
from lgt_assets.costs import recorded_rates
from lgt_assets.engines.store_garbage import find_garbage
from lgt_assets.quality.captions import captions
from lgt_assets.quality.findings import Slice
from lgt_assets.report import build_report, picture_lines
from lgt_assets.resources import Models, Tables, close_engines
from lgt_assets.storage import DeltaStore
from lgt_assets_tests.sources.pictures import plain_bytes
from lgt_assets_tests.sources.test_coco import picture, write_coco
from lgt_assets_tests.sources.test_hub import example, write_split
from lgt_assets_tests.sources.test_webdataset import write_tar
from lgt_assets_tests.tiny_detector import write_tiny_detector

SHARD = "mine-00000"
CAPTION = "A small red circle lies beside a blue square, and a dog with a yellow ball stands on the table to the left of them."
PHRASES = "".join(
    f"<phrase>{phrase}</phrase><label>{phrase.split()[-1]}</label>\n"
    for phrase in ("small red circle", "blue square", "dog", "green car", "table")
)
BOX = {"label": "sheet", "box": [0, 0, 40, 30]}
Profiles = Callable[..., None]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("LGT_STATE", str(tmp_path / "state"))
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield instance
    close_engines()


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profiles:
    """Put a profile in force: every role that writes gives ``text``; further models and roles, and sections, as named."""
    count = iter(range(100))

    def use(*, text: str = PHRASES, models: dict | None = None, roles: dict | None = None, **sections: dict) -> None:
        writing = ("questioner", "composer", "vlm", "reasoner", "verifier")
        content = {
            "name": "made", "prompts": "lgt", "models": {"writer": {"engine": "scripted", "text": text}} | (models or {}),
            "roles": {role: {"model": "writer"} for role in writing} | (roles or {}), **sections,
        }  # fmt: skip
        path = tmp_path / f"profile-{next(count)}.yaml"
        path.write_text(yaml.safe_dump(content))
        monkeypatch.setenv("LGT_PROFILE", str(path))

    return use


def detecting(folder: Path) -> dict:
    return {
        "models": {"grounding": {"engine": "grounding_dino", "model": str(folder), "device": "cpu", "threads": 1}},
        "roles": {"detector": {"model": "grounding"}},
    }


def add(instance: dg.DagsterInstance, folder: Path, *rows: dict) -> None:
    """Add a picture for each row; what a row does not say is a caption, and no boxes."""
    folder.mkdir(exist_ok=True)
    for number, _row in enumerate(rows):
        image = Image.linear_gradient("L").resize((120, 90)).convert("RGB")
        image.paste((250 - 40 * number, 10, 10), (10, 10, 50, 40))
        image.save(folder / f"{number}.png")
    lines = [{"image": f"{n}.png", "caption": CAPTION, "boxes": []} | row for n, row in enumerate(rows)]
    (folder / "pictures.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    options = {"path": str(folder / "pictures.jsonl"), "caption_source": "human"}
    register(instance, Tables().store(), "mine", "manifest", options, shard_size=8)


def make(instance: dg.DagsterInstance, selection: str = "images,grounded_objects") -> DeltaStore:
    assert runs.run(instance, selection=selection).failures == []
    return Tables().store()


def sent(store: DeltaStore, asset: str = "grounded_objects") -> int:
    return store.read("funnel").filter(asset=asset)["requests_sent"].item()


def reasons(store: DeltaStore, asset: str) -> list[str]:
    return sorted(store.read("rejections").filter(asset=asset)["reason"])


def metadata(instance: dg.DagsterInstance, table: str) -> dict:
    found = latest_materialization(instance, table, SHARD).asset_materialization
    return {name: value.value for name, value in found.metadata.items()}


SIFTED = {"box_threshold": 0.2, "text_threshold": 0.2, "phrases_per_request": 2, "minimum_share": 0.0001}


def test_pictures_without_boxes_get_those_of_the_detector(
    instance: dg.DagsterInstance, use: Profiles, detector_folder: Path, tmp_path: Path
) -> None:
    use(**detecting(detector_folder), detect=SIFTED)
    add(instance, tmp_path / "mine", {}, {"boxes": [BOX]}, {})
    store = make(instance)
    objects = store.read("grounded_objects").to_dicts()
    images = store.read("images")["image_id"].to_list()
    by_image = {one: [row for row in objects if row["image_id"] == one] for one in images}
    assert [row["label"] for row in by_image[images[1]]] == ["sheet"] and by_image[images[1]][0]["request_key"] is None
    found = by_image[images[0]] + by_image[images[2]]
    assert (
        found
        and by_image[images[0]]
        and {row["phrase"] for row in found} <= {"small red circle", "blue square", "dog", "table"}
    )
    assert all(row["box_source"].startswith("tiny-detector@") and 0.2 < row["score"] <= 1 for row in found)
    keys = set(store.read("generations").filter(role="detector")["request_key"])
    assert {row["request_key"] for row in found} <= keys and len(keys) == 4
    assert sent(store) == 2 + 4  # a list of phrases for each of two pictures, and twice two phrases at a time
    assert reasons(store, "grounded_objects").count("phrase_not_in_caption") == 2
    assert metadata(instance, "grounded_objects")["pictures_without_boxes"] == sum(not by_image[one] for one in images)


def test_what_is_done_with_boxes_detects_nothing_anew_and_another_model_does(
    instance: dg.DagsterInstance, use: Profiles, detector_folder: Path, tmp_path: Path
) -> None:
    use(**detecting(detector_folder), detect=SIFTED)
    add(instance, tmp_path / "mine", {}, {})
    first = make(instance).read("grounded_objects")
    assert make(instance).read("grounded_objects").equals(first) and sent(Tables().store()) == 0
    use(**detecting(detector_folder), detect=SIFTED | {"overlap": 0.1, "boxes": 1, "minimum_share": 0.01})
    fewer = make(instance).read("grounded_objects")
    assert sent(Tables().store()) == 0 and 0 < fewer.height < first.height
    use(**detecting(write_tiny_detector(tmp_path / "other" / "tiny-detector", seed=1)), detect=SIFTED)
    other = make(instance).read("grounded_objects")
    assert sent(Tables().store()) == 4 and not other.equals(first)  # the phrases stay
    use(**detecting(detector_folder), detect=SIFTED)
    assert make(instance).read("grounded_objects").equals(first) and sent(Tables().store()) == 0


def test_detections_are_foreseen_and_kept(
    instance: dg.DagsterInstance, use: Profiles, detector_folder: Path, tmp_path: Path
) -> None:
    use(**detecting(detector_folder), detect=SIFTED)
    add(instance, tmp_path / "mine", {}, {"boxes": [BOX]})
    ahead = [
        row for row in runs.look_ahead(instance, selection="images,grounded_objects") if row.asset == "grounded_objects"
    ]
    assert [(row.role, row.requests_to_send) for row in ahead] == [("questioner", 1), ("detector", None)]
    store = make(instance)
    ahead = runs.look_ahead(instance, selection="grounded_objects,seed_questions")
    detections = [
        (row.role, row.requests_to_send, row.requests_reused) for row in ahead if row.asset == "grounded_objects"
    ]
    assert detections == [("questioner", 0, 1), ("detector", 0, 2)]
    assert next(row.basis for row in ahead if row.asset == "seed_questions") == "planned"
    assert recorded_rates(store).rate("grounded_objects", "detector", "tiny-detector").device_seconds > 0
    models = Models()
    assert find_garbage(models.response_root, SHARD, needed(models, store, SHARD)).completions == 0
    use(**detecting(detector_folder), detect=SIFTED | {"box_threshold": 0.4})
    models = Models()
    named = set(store.read("grounded_objects")["request_key"].drop_nulls())
    kept = needed(models, store, SHARD)(store.read("generations"))
    assert set(store.read("generations").filter(kept)["request_key"]) >= named  # rows still name them


def test_a_picture_that_cannot_be_read_any_more_fails_its_request_alone(
    instance: dg.DagsterInstance, use: Profiles, detector_folder: Path, tmp_path: Path
) -> None:
    use(**detecting(detector_folder), detect=SIFTED, maximum_failure_share=0.6)
    add(instance, tmp_path / "mine", {}, {})
    assert runs.run(instance, selection="images").failures == []
    store = Tables().store()
    gone = store.read("images").row(0, named=True)
    content = Path(gone["uri"]).read_bytes()
    Path(gone["uri"]).unlink()
    make(instance, "grounded_objects")
    failures = store.read("failures")
    assert failures.height == 2 and set(failures["role"]) == {"detector"} and "cannot be read" in failures["error"][0]
    assert gone["image_id"] not in set(store.read("grounded_objects")["image_id"])
    Path(gone["uri"]).write_bytes(content)
    make(instance, "grounded_objects")
    assert sent(store) == 2 and gone["image_id"] in set(store.read("grounded_objects")["image_id"])


def test_without_a_detector_such_pictures_stay_and_it_is_said_what_they_cannot_be_asked(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LGT_PROFILE", "embedded")
    add(instance, tmp_path / "mine", {}, {"boxes": [BOX]})
    store = make(instance)
    assert store.read("images").height == 2 and store.read("grounded_objects").height == 1 and sent(store) == 0
    told = metadata(instance, "grounded_objects")
    assert told["pictures_without_boxes"] == 1
    assert told["without_boxes"].startswith("1 of 2 pictures have no boxes: they are asked about as whole scenes only")
    assert picture_lines(build_report(store)["pictures"]) == [
        "1 pictures have no boxes and are asked about as whole scenes only"
    ]


def captioning(text: str = f"<caption>{CAPTION}</caption>") -> dict:
    return {
        "models": {"seer": {"engine": "scripted", "model": "seer", "revision": "7", "text": text}},
        "roles": {"captioner": {"model": "seer"}},
    }


def test_a_generated_caption_is_marked_counted_and_never_mixed_without_a_word(
    instance: dg.DagsterInstance, use: Profiles, tmp_path: Path
) -> None:
    use(**captioning(), captions={"allow_generated": True})
    add(instance, tmp_path / "mine", {}, {"caption": None}, {"boxes": [BOX]})
    store = make(instance)
    images = store.read("images").to_dicts()
    assert [row["caption_source"] for row in images] == ["human", "seer@7", "human"] and images[1]["caption"] == CAPTION
    assert images[1]["request_key"] in set(store.read("generations").filter(role="captioner")["request_key"])
    assert [row["request_key"] for row in images if row["caption_source"] == "human"] == [None, None]
    assert metadata(instance, "images")["share_of_captions_generated"] == pytest.approx(1 / 3, abs=1e-4)
    key = dg.AssetCheckKey(dg.AssetKey("images"), "captions")
    check = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key].event.dagster_event
    evaluation = check.asset_check_evaluation_data
    assert not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.WARN
    assert "1 captions were generated by seer@7 (1), 2 came with the source" in evaluation.metadata["said"].value
    assert "1 captions are generated" in picture_lines(build_report(store)["pictures"])[0]
    assert make(instance).read("images").to_dicts() == images and sent(store, "images") == 0


@pytest.mark.parametrize("kind", ["coco", "hub", "webdataset"])
def test_a_picture_that_a_published_data_set_gives_no_caption_gets_one(
    instance: dg.DagsterInstance, use: Profiles, tmp_path: Path, kind: str
) -> None:
    use(**captioning(), captions={"allow_generated": True})
    folder = tmp_path / "given"
    if kind == "coco":
        write_coco(folder, [picture(1), picture(2)], [], [{"image_id": 2, "id": 1, "caption": CAPTION}])
    elif kind == "hub":
        write_split(folder, "train", 0, 1, [example(1, caption=None), example(2)])
    else:
        write_tar(
            folder / "0.tar",
            [("1.jpg", plain_bytes(1, "JPEG")), ("2.jpg", plain_bytes(2, "JPEG")), ("2.txt", b"A cat.")],
        )
    addition = register(instance, Tables().store(), "mine", kind, {"path": str(folder)})
    assert (addition.images_added, addition.without_caption, addition.problems_added) == (2, 1, 0)
    first, second = make(instance, "images").read("images").to_dicts()
    assert (first["caption"], first["caption_source"], first["request_key"] is None) == (CAPTION, "seer@7", False)
    assert second["caption_source"] != "seer@7" and second["request_key"] is None


@pytest.mark.parametrize("bound", [True, False])
def test_without_leave_or_captioner_a_picture_without_caption_is_refused(
    instance: dg.DagsterInstance, use: Profiles, tmp_path: Path, bound: bool
) -> None:
    use(**(captioning() if bound else {}), captions={"allow_generated": not bound})
    add(instance, tmp_path / "mine", {"caption": None}, {})
    store = make(instance)
    assert store.read("images").height == 1 and sent(store, "images") == 0
    assert reasons(store, "images") == ["caption_missing"]
    said = captions(Slice(store, "images", SHARD)).said
    assert said == "1 captions came with the source; 1 pictures have none and were rejected"
    assert "captions: {allow_generated: true}" in store.read("rejections")["detail"][0]


def test_a_model_that_cannot_caption_gives_rejections_and_no_captions(
    instance: dg.DagsterInstance, use: Profiles, tmp_path: Path
) -> None:
    """The embedded model sees, and writes what it knows, which are questions about scenes: its text is filtered."""
    pytest.importorskip("transformers")
    small = {"engine": "hf_transformers", "model": "embedded", "device": "cpu", "threads": 1}
    roles = {"captioner": {"model": "small", "sampling": {"max_tokens": 40}}}
    use(models={"small": small}, roles=roles, captions={"allow_generated": True})
    add(instance, tmp_path / "mine", {"caption": None}, {})
    store = make(instance)
    assert store.read("images").height == 1 and sent(store, "images") == 1
    (rejection,) = store.read("rejections").filter(asset="images").to_dicts()
    (generation,) = store.read("generations").filter(role="captioner").to_dicts()
    assert rejection["reason"] in ("no_caption", "cut_off", "caption_too_short")
    assert rejection["request_key"] == generation["request_key"] and rejection["raw"] == generation["text"]
    sha256 = json.loads(generation["prompt"])[0]
    assert "Describe the picture" in json.dumps(sha256)


def test_a_generated_caption_is_what_boxes_are_found_for(
    instance: dg.DagsterInstance, use: Profiles, detector_folder: Path, tmp_path: Path
) -> None:
    both = {
        "models": captioning()["models"] | detecting(detector_folder)["models"],
        "roles": captioning()["roles"] | detecting(detector_folder)["roles"],
    }
    use(**both, detect=SIFTED, captions={"allow_generated": True})
    add(instance, tmp_path / "mine", {"caption": None})
    store = make(instance)
    assert store.read("images")["caption_source"].to_list() == ["seer@7"]
    assert store.read("grounded_objects").height > 0
