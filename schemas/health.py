"""What `/livez` and `/readyz` answer, and what a worker says of itself in its heartbeat."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class WorkerStatus(BaseModel):
    """One worker process, as its heartbeat shows it."""

    model_config = ConfigDict(frozen=True)

    id: str
    device: str = Field(examples=["CPU:0"])
    started_at: AwareDatetime
    loaded_models: tuple[str, ...]
    running: int = Field(description="Executions it holds now.")
    draining: bool = False


class Liveness(BaseModel):
    status: str = "ok"


class Readiness(BaseModel):
    status: str = Field(examples=["ready", "broker_unavailable", "draining"])
    workers: tuple[WorkerStatus, ...]
    queue_depth: dict[str, int] = Field(description="Queued executions by lane.", examples=[{"fast": 0, "slow": 0}])
