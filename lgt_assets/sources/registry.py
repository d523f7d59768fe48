"""The kinds of source, by name."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from lgt_assets.errors import SourceError, wrong_fields
from lgt_assets.sources.coco import CocoSource
from lgt_assets.sources.docci import DocciSource
from lgt_assets.sources.hub import HubSource
from lgt_assets.sources.manifest import ManifestSource
from lgt_assets.sources.photos import PhotosSource
from lgt_assets.sources.records import Source, SourceOptions, storable
from lgt_assets.sources.scenes import ScenesSource
from lgt_assets.sources.webdataset import WebdatasetSource

KINDS = (ScenesSource, PhotosSource, ManifestSource, DocciSource, CocoSource, HubSource, WebdatasetSource)
SOURCES: dict[str, type] = {source.kind: source for source in KINDS}


def parse_options(kind: str, options: Mapping[str, object]) -> SourceOptions:
    """The options of a source of ``kind``, checked; text from a command line is converted.

    Raises:
        SourceError: there is no such kind or option, one is missing, or a value does not fit; what there is, is listed.
    """
    if kind not in SOURCES:
        raise SourceError(f"no kind of source {kind!r}; there are {', '.join(SOURCES)}")
    model = SOURCES[kind].Options
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        known = ", ".join(f"{name} ({field.description})" for name, field in model.model_fields.items())
        wrong = wrong_fields(error, "(all together)")
        raise SourceError(f"options of a source of kind {kind}: {wrong}. Known options: {known or 'none'}") from error


def open_source(kind: str, options: Mapping[str, object]) -> Source:
    """A source of ``kind``, ready to be read.

    Raises:
        SourceError: as :func:`parse_options`; a text of the options is not valid UTF-8; or the file or package it reads is not
            there.
    """
    checked = parse_options(kind, options)
    source = SOURCES[kind](checked)
    for name, value in vars(source.options).items():  # a relative path's folder may be the one that is not
        if isinstance(value, str | Path) and storable(str(value)) != str(value):
            raise SourceError(f"option {name}, {storable(str(value))}, is not valid UTF-8; rename the folder")
    return source
