"""The licence that an export is under, as the hub wants it said: one of its identifiers, or a file that tells all."""

import re
from collections.abc import Mapping

from lgt_assets.markdown import plain_text, table_of

LICENCE_FILE = "LICENSE.md"  # the one name besides LICENSE that the hub takes for a link
TEXT_CHARACTERS = 200
# Of https://huggingface.co/docs/hub/repositories-licenses, those that pictures may be under.
HUB_LICENCES = frozenset(
    """
    apache-2.0 mit afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0
    cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0
    cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 etalab-2.0 gfdl isc odc-by odbl pddl unlicense wtfpl zlib
    """.split()
)
_SEVERAL = "several-see-license-md"


def licence_header(pictures: Mapping) -> dict[str, str]:
    """``license`` and, where the hub does not know it or there are several, ``license_name`` and ``license_link``.

    Args:
        pictures: see :func:`lgt_assets.release.picture_sources.source_facts`.
    """
    names = sorted({hub_name(row["license"]) for row in pictures["sources"]})
    if len(names) == 1 and names[0] in HUB_LICENCES:
        return {"license": names[0]}
    name = names[0] if len(names) == 1 else _SEVERAL
    return {"license": "other", "license_name": name, "license_link": LICENCE_FILE}


def hub_name(licence: str) -> str:
    """A licence's name as the hub would spell it: ``cc-by-4.0`` for ``CC BY 4.0``; never more than a word of plain letters."""
    word = re.sub(r"[^a-z0-9.+]+", "-", licence.casefold()).strip("-.")[:60]
    return {"cc0": "cc0-1.0", "apache-license-2.0": "apache-2.0"}.get(word, word) or "unnamed"


def licence_text(pictures: Mapping) -> str | None:
    """The file :data:`LICENCE_FILE`, or None where one licence that the hub knows says it all."""
    if licence_header(pictures)["license"] != "other":
        return None
    rows = [
        [
            plain_text(row["source"], TEXT_CHARACTERS),
            plain_text(row["license"], TEXT_CHARACTERS),
            f"{row['pictures']:,}",
        ]
        for row in pictures["sources"]
    ]
    return (
        "# Licences\n\nThe pictures come from these sources under these licences; README.md names the credits that they ask "
        f"for.\n\n{table_of(['source', 'licence', 'pictures'], rows, right=(2,))}\n"
    )
