"""Which engine answers, with which model: what a profile's YAML says under a role.

One model per engine, told apart by ``engine``; unknown keys are errors. Nothing heavier than pydantic is imported here.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lgt_assets.engines.endpoint_settings import Endpoints, dns_address

EMBEDDED_MODEL = "embedded"
DETECTING_ENGINES = ("grounding_dino", "scripted")


class _Settings(BaseModel):
    """Frozen, and a misspelt key is an error. Prices and speeds are for `lgt run --dry-run` and `lgt plan` alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
    price_per_million_prompt_tokens: float | None = Field(None, ge=0, description="Dollars.")
    price_per_million_completion_tokens: float | None = Field(None, ge=0, description="Dollars.")
    dollars_per_device_hour: float | None = Field(None, ge=0, description="What an hour of one device (GPU) costs.")
    new_tokens_per_device_second: float | None = Field(
        None, gt=0, description="New tokens that one device writes a second, all requests under way together."
    )
    prompt_tokens_per_device_second: float | None = Field(
        None, gt=0, description="Prompt tokens that one device reads a second; unset: reading is not counted."
    )

    @property
    def devices(self) -> int:
        """Devices that the model occupies while it works: what its busy seconds are multiplied by."""
        return 1


class _ModelSettings(_Settings):
    """What names the model itself; together with the chat template this decides a request's key."""

    model: str = Field(description="Folder, hub name, or 'embedded' for the model that comes with the package.")
    revision: str = Field("", description="Commit of a hub model; a local folder's is the sha256 of its files.")
    adapter: str = Field("", description="Folder or hub name of a LoRA adapter; empty: none.")
    min_pixels: int | None = Field(None, ge=1, description="Pictures are enlarged to at least this many pixels.")
    max_pixels: int | None = Field(None, ge=1, description="Pictures are shrunk to at most this many pixels.")


class HfTransformersSettings(_ModelSettings):
    """The transformers library in this process: laptops, and the embedded model."""

    engine: Literal["hf_transformers"] = "hf_transformers"
    model: str = EMBEDDED_MODEL
    device: str = Field("auto", description="auto (CUDA, else MPS, else CPU), or a torch device such as cuda:1.")
    dtype: str = Field("auto", description="auto (the checkpoint's own), float32, bfloat16 or float16.")
    batch_size: int = Field(64, ge=1, description="Sequences decoded together.")
    batch_tokens: int | None = Field(None, ge=1, description="Most cache positions held at once: sequences x longest.")
    threads: int | None = Field(None, ge=1, description="CPU threads; unset: torch's own choice.")


class OpenaiServerSettings(_ModelSettings):
    """One or several OpenAI-compatible servers of one model (``vllm serve`` and its like).

    They are named by just one of ``endpoints``, ``endpoints_file`` and ``endpoints_dns``.
    """

    engine: Literal["openai_server"] = "openai_server"
    endpoints: Endpoints = Field(
        (), description="Base addresses up to and with /v1, or {address, weight, drain}; see endpoint_settings."
    )
    endpoints_file: Path | None = Field(
        None,
        description="File of endpoints that may change while a run goes on; .yaml as `endpoints`, else an address a line. "
        "Relative: to the state folder, where lgt serve writes servers/MODEL.yaml.",
    )
    endpoints_dns: str = Field(
        "",
        description="http://NAME:PORT/v1: every address (A, AAAA) that NAME has is an endpoint; asked again and again.",
    )
    discovery_seconds: float = Field(5.0, gt=0, description="How often file or name are looked at during a run.")
    devices_per_endpoint: int = Field(
        1, ge=1, description="GPUs behind an endpoint: what lgt serve splits the model over, and device hours count."
    )
    served_model: str = Field("", description="Name the server knows the model by; empty: `model`.")
    chat_template_sha256: str = Field("", description="Of the server's chat template, if you want it in the keys.")
    dialect: Literal["vllm", "openai"] = Field(
        "vllm", description="vllm: prefixes, top_k, bad words; openai: the bare standard."
    )
    in_flight: int = Field(
        32, ge=1, description="Most requests under way at once; a server that slows down gets fewer."
    )
    latency_tolerance: float = Field(
        4.0, ge=1, description="Requests under way grow until an answer takes this multiple of its shortest time."
    )
    timeout_seconds: float = Field(600.0, gt=0, description="Longest one attempt may take.")
    deadline_seconds: float = Field(3600.0, gt=0, description="Longest a request may take with all its attempts.")
    attempts: int = Field(8, ge=1, description="Attempts per request; being told to wait (429, 503) is none.")
    outage_seconds: float = Field(300.0, gt=0, description="Longest that no endpoint answers before the run ends.")
    backoff_base_seconds: float = Field(0.5, ge=0, description="Wait after the first failure; doubles with each.")
    backoff_cap_seconds: float = Field(30.0, ge=0, description="Longest wait between attempts.")
    api_key_env: str = Field("", description="NAME of the environment variable that holds the key; never the key.")

    @property
    def devices(self) -> int:
        """Those behind all endpoints that the profile names; of a fleet that is discovered, those behind one."""
        return self.devices_per_endpoint * max(1, len(self.endpoints))

    @model_validator(mode="after")
    def _named_once(self) -> "OpenaiServerSettings":
        ways = {name for name in ("endpoints", "endpoints_file", "endpoints_dns") if getattr(self, name)}
        if len(ways) != 1:
            said = f"has {' and '.join(sorted(ways))}" if ways else "names no endpoint"
            raise ValueError(f"{said}: give just one of endpoints, endpoints_file and endpoints_dns")
        if self.endpoints and all(endpoint.drain for endpoint in self.endpoints):
            raise ValueError("endpoints: every one is marked drain, so none would get a request")
        return self

    @field_validator("endpoints_dns")
    @classmethod
    def _plain_name(cls, address: str) -> str:
        return dns_address(address) if address else ""

    @field_validator("api_key_env")
    @classmethod
    def _name_of_a_variable(cls, name: str) -> str:
        if name and not name.isidentifier():
            raise ValueError(
                "api_key_env is the NAME of an environment variable, e.g. OPENAI_API_KEY, not the key itself"
            )
        return name


class VllmOfflineSettings(_ModelSettings):
    """vLLM in this process."""

    engine: Literal["vllm_offline"] = "vllm_offline"
    dtype: str = "auto"
    max_model_len: int | None = Field(None, ge=1, description="Longest prompt plus completion, in tokens.")
    gpu_memory_utilization: float = Field(0.9, gt=0, le=1, description="Share of the GPU's memory vLLM may take.")
    tensor_parallel_size: int = Field(1, ge=1, description="GPUs that one model is split over.")
    images_per_prompt: int = Field(1, ge=0, description="Most pictures in a prompt.")
    max_num_seqs: int | None = Field(None, ge=1, description="Sequences decoded together; unset: vLLM's own choice.")
    look_ahead: int = Field(
        1024,
        ge=1,
        description="Requests ordered together, so that those that share a picture or prompt are neighbours.",
    )
    engine_arguments: dict[str, object] = Field(default_factory=dict, description="Further arguments of vllm.LLM.")

    @property
    def devices(self) -> int:
        """The GPUs that the model is split over."""
        return self.tensor_parallel_size


class GroundingDinoSettings(_Settings):
    """Grounding DINO by transformers in this process: boxes for phrases. It plays the role ``detector`` alone."""

    engine: Literal["grounding_dino"] = "grounding_dino"
    model: str = Field(description="Folder or hub name.")
    revision: str = Field("", description="Commit of a hub model; a local folder's is the sha256 of its files.")
    device: str = Field("auto", description="auto (CUDA, else MPS, else CPU), or a torch device such as cuda:1.")
    dtype: str = Field("float32", description="auto (the checkpoint's own), float32, bfloat16 or float16.")
    threads: int | None = Field(None, ge=1, description="CPU threads; unset: torch's own choice.")
    shortest_edge: int | None = Field(
        None, ge=1, description="Pictures are scaled to this shortest edge; unset: the model's."
    )
    longest_edge: int | None = Field(
        None, ge=1, description="... unless the longest would be longer; unset: the model's."
    )


class ScriptedSettings(_Settings):
    """The fake for unit tests: the same text to every request."""

    engine: Literal["scripted"] = "scripted"
    model: str = "scripted"
    revision: str = ""
    text: str = ""


EngineSettings = Annotated[
    HfTransformersSettings | OpenaiServerSettings | VllmOfflineSettings | GroundingDinoSettings | ScriptedSettings,
    Field(discriminator="engine"),
]
