"""How servers of a fleet are named: in a profile, or in a file that may change while a run goes on."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from yarl import URL

from lgt_assets.errors import SettingsError, wrong_fields

_YAML = (".yaml", ".yml")


class EndpointSettings(BaseModel):
    """One server. A plain address stands for it where nothing else is said.

    Attributes:
        address: base address, up to and with /v1; http or https, without user, password or key.
        weight: its share of the requests under way, against the weights of the others.
        drain: it gets no new request, and finishes what it has.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    address: str
    weight: float = Field(1.0, gt=0, le=1e6, allow_inf_nan=False)
    drain: bool = False

    @field_validator("address")
    @classmethod
    def _base(cls, address: str) -> str:
        return base_address(address)


def base_address(address: str) -> str:
    """``address`` without slashes at its end.

    Raises:
        ValueError: it is none, or holds what may be a secret.
    """
    if "@" in address or "?" in address:
        raise ValueError(
            "an endpoint is an address without user, password or key; put the key into the variable of api_key_env"
        )
    if not address.startswith(("http://", "https://")):
        raise ValueError(f"endpoint {address!r} must start with http:// or https:// (e.g. http://127.0.0.1:8000/v1)")
    try:
        host = URL(address).host
    except ValueError as error:
        raise ValueError(f"endpoint {address!r} is no address: {error}") from error
    if not host or any(char.isspace() for char in address):
        raise ValueError(f"endpoint {address!r} is no address (e.g. http://127.0.0.1:8000/v1)")
    return address.rstrip("/")


def dns_address(address: str) -> str:
    """The same for an address whose host is a name to be resolved.

    Raises:
        ValueError: it is none; or https, whose certificates are for the name and not for the addresses behind it.
    """
    if address.startswith("https://"):
        raise ValueError(
            "endpoints_dns must start with http://: certificates are for a name, not for each address behind it; "
            "list https servers in endpoints or endpoints_file"
        )
    return base_address(address)


def _spelled_out(endpoint: Any) -> Any:
    return {"address": endpoint} if isinstance(endpoint, str) else endpoint


def _each_once(endpoints: tuple[EndpointSettings, ...]) -> tuple[EndpointSettings, ...]:
    seen: set[str] = set()
    for endpoint in endpoints:
        if endpoint.address in seen:
            raise ValueError(f"endpoint {endpoint.address} is named twice; give it a larger weight instead")
        seen.add(endpoint.address)
    return endpoints


Endpoints = Annotated[
    tuple[Annotated[EndpointSettings, BeforeValidator(_spelled_out)], ...], AfterValidator(_each_once)
]
_ENDPOINTS: TypeAdapter[tuple[EndpointSettings, ...]] = TypeAdapter(Endpoints)


def read_endpoints(path: Path) -> tuple[EndpointSettings, ...]:
    """The endpoints that a file lists, perhaps none.

    YAML (.yaml, .yml) holds what a profile's ``endpoints`` holds, by itself or under the key ``endpoints``; any other file an
    address a line, with ``#`` before remarks.

    Raises:
        FileNotFoundError: there is no such file.
        SettingsError: it cannot be read, or lists something else; the message names the file and the entry.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix in _YAML:
            content = yaml.safe_load(text)
            listed = content.get("endpoints") if isinstance(content, dict) and {*content} == {"endpoints"} else content
        else:
            lines = (line.partition("#")[0].strip() for line in text.splitlines())
            listed = [line for line in lines if line]
        return _ENDPOINTS.validate_python([] if listed is None else listed)
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"endpoints file {path} cannot be read: {error}") from error
    except ValidationError as error:
        raise SettingsError(f"endpoints file {path}: {wrong_fields(error)}") from error
