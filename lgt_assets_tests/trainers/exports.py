"""Exports for the tests with real trainers, written by the main environment: one release in every format.

``python -m lgt_assets_tests.trainers.exports FOLDER`` writes FOLDER/<format>, anew, FOLDER/lmms_eval with
the tasks for lmms-eval, and FOLDER/pictures.json: what each picture's
content hashes to, by image_id.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from lgt_assets.delta_files import TableFolder
from lgt_assets.release.companions import write_companions
from lgt_assets.release.exporting import export_release
from lgt_assets.release.formats.registry import FORMATS
from lgt_assets.release.options import Options
from lgt_assets.release.pins import read_release
from lgt_assets.training.held_out import IN_DOMAIN, questions
from lgt_assets.training.lmms_eval_suites import write_tasks
from lgt_assets_tests.trainers.made_examples import made_release
from lgt_assets_tests.trainers.ready_files import ready_files


def write_exports(folder: Path) -> None:
    """Release the made dataset, and export it in every format below ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        state = Path(name)
        store, _release_id = made_release(state)
        tables = TableFolder(store.root)
        release = read_release(tables)
        assert all(rows for rows, _ in release.contents.values()), f"a config's split is empty: {release.contents}"
        assert not release.excluded.height, f"made rows were left out: {release.excluded}"
        for form in FORMATS.values():
            exported = export_release(release, tables, folder / form.name, Options(form))
            # The embedded model's own lengths and pixels instead of those for Qwen2.5-VL-7B.
            write_companions(folder / form.name, ready_files(form.name, exported.written))
        write_tasks(folder / "lmms_eval", {IN_DOMAIN: questions(IN_DOMAIN, 10)})
        pictures = store.read("images").select("image_id", "sha256")
        (folder / "pictures.json").write_text(json.dumps(dict(pictures.iter_rows())))


if __name__ == "__main__":
    write_exports(Path(sys.argv[1]))
