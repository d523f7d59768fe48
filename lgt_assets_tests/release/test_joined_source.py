import itertools
import sys
from pathlib import Path

import pytest

from lgt_assets.errors import ReleaseError
from lgt_assets.release.joined_source import joined_source

_NUMBERS = itertools.count()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes modules of a package of its own and gives a function that joins its module ``entry``."""
    name = f"joined_package_{next(_NUMBERS)}"
    monkeypatch.syspath_prepend(str(tmp_path))

    def join(**modules: str) -> str:
        folder = Path(tmp_path, name)
        folder.mkdir()
        (folder / "__init__.py").write_text('"""Nothing."""\n')
        for module, text in modules.items():
            (folder / f"{module}.py").write_text(text.replace("PACKAGE", name))
        return joined_source(f"{name}.entry", "What it is.", ["value"])

    yield join
    sys.modules.pop(name, None)


def run(text: str) -> dict:
    names: dict = {}
    exec(compile(text, "joined", "exec"), names)
    return names


def test_modules_come_in_the_order_of_need_and_once(package):
    text = package(
        entry='"""Entry."""\nfrom PACKAGE.left import left\nfrom PACKAGE.right import right\n\nvalue = left() + right()\n',
        left=(
            '"""Left."""\nimport re\n\nfrom PACKAGE.base import BASE\n\n\n'
            'def left():\n    # why\n    return len(re.sub("a", "", BASE))\n'
        ),
        right=(
            "from collections import (\n    Counter,\n)\nfrom PACKAGE.base import BASE\n\n\n"
            'def right():\n    return Counter(BASE)["b"]\n'
        ),
        base='__all__ = [\n    "BASE",\n]\nBASE = "abb"\n',
    )  # fmt: skip
    assert run(text)["value"] == 4
    assert run(text)["__doc__"].strip() == "What it is."
    assert run(text)["__all__"] == ["value"]
    assert text.count('BASE = "abb"') == 1
    assert "    # why\n" in text and "# Left.\n" in text and "# Entry.\n" in text


@pytest.mark.parametrize(("modules", "message"), [
    ({"entry": "from PACKAGE.other import f\n_X = 1\n", "other": "_X = 2\nf = 1\n"}, "both define _X"),
    ({"entry": "from PACKAGE.other import f\n_X = 1\n", "other": "_X = 1\nf = 1\n"}, "both define _X"),
    ({"entry": "from PACKAGE.other import f\nhtml = 1\n", "other": "import html\nf = html\n"}, "both define html"),
    ({"entry": "from PACKAGE.other import f\nimport re as r\n", "other": "import html as r\nf = r\n"}, "both define r"),
    ({"entry": "import polars\n"}, "polars is no module of the standard library"),
    ({"entry": "from . import other\n", "other": ""}, "cannot be joined"),
    ({"entry": "from PACKAGE.other import f as g\n", "other": "f = 1\n"}, "by their own names"),
    ({"entry": "from PACKAGE.other import *\n", "other": "f = 1\n"}, "by their own names"),
    ({"entry": "from PACKAGE import other\n", "other": "f = 1\n"}, "not from itself"),
    ({"entry": "from PACKAGE.other import g\n", "other": "f = 1\n"}, "line 1: g is defined nowhere"),
    ({"entry": "import PACKAGE.other\n", "other": "f = 1\n"}, "is no module of the standard library"),
    ({"entry": "def f():\n    import re\n    return re\n"}, "line 2: an import within a function"),
    ({"entry": "from PACKAGE.other import f\n", "other": "from PACKAGE.entry import g\nf = 1\n"}, "needs itself"),
    ({"entry": "if True:\n    x = 1\n"}, "only definitions, values and imports"),
    ({"entry": "list = 1\n"}, "built-in name list"),
])  # fmt: skip
def test_what_cannot_be_joined_is_refused_with_its_place(package, modules, message):
    with pytest.raises(ReleaseError, match=message):
        package(**modules)


def test_names_within_comprehensions_and_functions_are_no_clash(package):
    text = package(
        entry="from PACKAGE.other import other\n\nvalue = [word for word in other()]\n",
        other="_LENGTHS = {word: len(word) for word in 'ab'}\n\n\ndef other():\n    value = 3\n    return [value]\n",
    )
    assert run(text)["value"] == [3]
