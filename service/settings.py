"""The settings of the service. The entry point builds them and hands them down."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from jobstore.settings import StoreSettings
from schemas.limits import MethodLimits
from telemetry.logs import LogFormat, LogLevel


class ServiceSettings(StoreSettings, MethodLimits):  # pyright: ignore[reportIncompatibleVariableOverride] - pydantic merges configurations
    """The settings that the service reads from `CONVSCOPE_*` variables, with those that it shares with the workers."""

    host: str = Field(default="127.0.0.1", description="The service listens on this address.")
    port: int = Field(default=8000, ge=0, le=65535, description="The service listens on this port. 0 means any free port.")
    auth: Literal["off", "required"] | None = Field(
        default=None,
        description="With `required`, every caller needs an API key, see [operating](operating.md). With `off`, nobody does. If it is not "
        "set, it is `off` on a loopback address or with `--insecure`, and `required` on any other address.",
    )
    max_submissions_per_minute: int = Field(
        default=60,
        ge=0,
        description="A caller may send at most this many submissions in a minute; 0 means no limit. It applies where "
        "callers can be told apart.",
    )
    max_reads_per_minute: int = Field(
        default=600,
        ge=0,
        description="A caller may send at most this many other requests in a minute; 0 means no limit. It applies where "
        "callers can be told apart.",
    )
    limit_by_address: bool = Field(
        default=False,
        description="Callers without a key are told apart by their addresses, so that the limits of a caller apply to each address. This "
        "machine's own addresses are not limited.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "::1"),
        description="The service believes `X-Forwarded-For` and `X-Forwarded-Proto` from these addresses or networks, separated by commas.",
    )
    api_processes: int = Field(
        default=1,
        ge=1,
        le=256,
        description="`convscope api` and `convscope serve` run so many processes of the service on the one port. `/metrics` has the sum "
        "over all of them.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Requests must name one of these hosts, separated by commas, in their header `Host`; `*` allows every name. On a "
        "loopback address without keys, the names of loopback are always among them, and no other name is allowed unless it is listed "
        "here. Elsewhere, every name is allowed if nothing is listed.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Pages of these origins, separated by commas, may call the service from a browser. By default no page may. "
        "Credentials are never allowed.",
    )

    max_body_bytes: int = Field(
        default=32 * 1024**2, gt=0, description="A request body may have at most this many bytes, which are counted while they arrive."
    )
    max_base64_bytes: int = Field(
        default=10 * 1024**2, gt=0, description="An image that is sent as base64 may have at most this many bytes after decoding."
    )

    url_inputs: bool = Field(
        default=False,
        description="Requests may name an image by its `https` address, which the service fetches. Only public addresses are opened.",
    )
    url_seconds: float = Field(
        default=10.0,
        gt=0,
        description="An image at an address must arrive within this many seconds. All images of one request together have three times as "
        "long.",
    )
    webhooks: bool = Field(
        default=False, description="A job or a batch may name an `https` address that is told of its end. Only public addresses are opened."
    )
    webhook_seconds: float = Field(default=15.0, gt=0, description="The endpoint of a webhook must answer within this many seconds.")
    webhook_failures: int = Field(
        default=20,
        ge=1,
        description="An endpoint that has failed so many times in a row is disabled for a day. Answers of 410 disable it at once.",
    )
    max_webhooks: int = Field(
        default=10_000, ge=1, description="At most this many webhooks wait for their delivery. Then submissions with a webhook are refused."
    )
    max_batch_bytes: int = Field(
        default=4 * 1024**3,
        gt=0,
        description="The body of a batch may have at most this many bytes. Its images are stored while it arrives.",
    )

    model_uploads: bool = Field(
        default=False,
        description="Callers with the scope `admin` may upload models and delete uploaded ones. On a loopback address without keys, every "
        "caller may. See [adding a model](adding-a-model.md#upload-a-model).",
    )
    max_uploaded_models: int = Field(default=50, gt=0, description="At most this many uploaded models may be kept.")
    max_uploaded_model_bytes: int = Field(
        default=20 * 1024**3, gt=0, description="All uploaded models together may have at most this many bytes."
    )
    model_check_wait: float = Field(
        default=300.0,
        gt=0,
        description="A worker must have loaded and described an uploaded model within this many seconds. Otherwise it is not kept.",
    )

    max_connections: int | None = Field(
        default=None,
        ge=1,
        description="At most this many connections are open to each process of the service. For each further one, the one that has waited "
        "longest for a request is closed. If it is not set, it is 10,000, or less if the process may open few files.",
    )
    header_timeout: float = Field(
        default=10.0,
        gt=0,
        description="The header of a request must arrive within this many seconds after the connection was opened. Otherwise it is closed.",
    )
    body_timeout: float = Field(
        default=20.0,
        gt=0,
        description="The body of a request must arrive within this many seconds, and one more second for every 16 KiB that have arrived. "
        "Otherwise the answer is 408.",
    )
    answer_timeout: float = Field(
        default=60.0,
        gt=0,
        description="A client that reads nothing of its answer for this many seconds, while there is more to send, is cut off.",
    )

    linger_bytes: int = Field(
        default=1024**3,
        ge=0,
        description="If an answer is known before the request's body has been read, at most this many bytes of the rest are read and "
        "dropped before the connection is closed, within `CONVSCOPE_LINGER_SECONDS`. A client that sends all of its body first can then "
        "read the answer. All of a model is read if its sender may upload models.",
    )
    linger_seconds: float = Field(
        default=30.0, gt=0, description="The rest of a body is read and dropped for at most this many seconds, or until it stops for 2 s."
    )

    default_wait: float = Field(
        default=30.0, ge=0, description="The one-line form waits this many seconds for its job, unless the request says otherwise."
    )
    max_wait: float = Field(default=60.0, ge=0, description="No request waits for a job longer than this many seconds.")
    describe_wait: float = Field(
        default=15.0,
        gt=0,
        description="A request for a model that no worker has described yet waits this many seconds for the description.",
    )
    description_cache: float = Field(
        default=60.0, ge=0, description="The service keeps a model's description in memory for this many seconds."
    )

    drawing_threads: int = Field(
        default=2, ge=1, description="The service draws at most this many pictures at once. The others wait for their turn."
    )
    drawing_memory: int = Field(
        default=256 * 1024**2,
        ge=0,
        description="The arrays and photos from which the service has drawn pictures stay in memory, up to this many bytes in all.",
    )

    drain: float = Field(default=30.0, ge=0, description="After SIGTERM, requests in progress have this many seconds to finish.")
    drain_delay: float = Field(
        default=0.0,
        ge=0,
        description="After SIGTERM, the service says that it is not ready for this many seconds before it refuses connections, "
        "so that a load balancer can notice.",
    )
    log_level: LogLevel = Field(
        default="info", description="The service logs lines of this level and above: `debug`, `info`, `warning` or `error`."
    )
    log_format: LogFormat = Field(
        default="auto",
        description="Log lines have this format: `json`, `console`, or `auto`, which is `console` on a terminal and `json` elsewhere.",
    )

    @field_validator("allowed_hosts", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def method_limits(self) -> MethodLimits:
        """Return the limits that parameters are checked against."""
        return MethodLimits(**{name: getattr(self, name) for name in MethodLimits.model_fields})
