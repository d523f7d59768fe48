"""Verdicts as the audit page writes them: JSON lines, one a row; every field is checked before anything is kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic import ValidationError as FieldsWrong

from lgt_assets.audit_vocabulary import AUDITED_TABLES, ERROR_KINDS, VERDICTS
from lgt_assets.errors import NotFoundError, ValidationError
from lgt_assets.identity import parse_row_id

_LONGEST = 10_000


class Verdict(BaseModel):
    """What one auditor found of one row."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    row_id: str
    table: Literal[AUDITED_TABLES]
    auditor: str = Field(max_length=200)
    verdict: Literal[VERDICTS]
    error_kind: Literal[ERROR_KINDS] | None = None
    note: str = Field("", max_length=_LONGEST)
    sample: str = Field("", max_length=64)
    judged_at: str = Field("", max_length=64)

    @field_validator("auditor")
    @classmethod
    def _is_named(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("is empty; write who judged")
        return name.strip()

    @model_validator(mode="after")
    def _is_consistent(self) -> "Verdict":
        try:
            table = parse_row_id(self.row_id).table
        except NotFoundError as error:
            raise ValueError(f"row_id: {error}") from error
        if table != self.table:
            raise ValueError(f"row_id: {self.row_id} is a row of {table}, not of {self.table}")
        if self.verdict == "wrong" and self.error_kind is None:
            raise ValueError(f"error_kind: is missing; a wrong row says one of {', '.join(ERROR_KINDS)}")
        if self.verdict == "right" and self.error_kind is not None:
            raise ValueError("error_kind: a right row has none")
        return self


def read_verdicts(path: Path) -> list[tuple[int, Verdict]]:
    """(line, verdict) of every line that is not blank; where one row and auditor come twice, both.

    Raises:
        NotFoundError: there is no such file.
        ValidationError: a line is wrong; the message names file, line and field of up to five of them.
    """
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise NotFoundError(f"{path}: {error.strerror}; give the file that the audit page let you download") from error
    verdicts: list[tuple[int, Verdict]] = []
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                verdicts.append((number, Verdict.model_validate_json(line)))
            except FieldsWrong as error:
                problems += [f"{path}, line {number}, {problem}" for problem in _described(error)]
    if problems:
        raise ValidationError(f"nothing was kept, {len(problems)} problems: {'; '.join(problems[:5])}")
    return verdicts


def _described(error: FieldsWrong) -> Iterator[str]:
    for problem in error.errors():
        field = ".".join(map(str, problem["loc"]))
        message = problem["msg"].removeprefix("Value error, ")
        yield f"{field}: {message}" if field else message
