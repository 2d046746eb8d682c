"""Define the answers of `/livez` and `/readyz`, and the heartbeat that a worker sends."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class WorkerStatus(BaseModel):
    """The state of one worker process, as its last heartbeat reports it."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The worker's id. No other worker has the same id.")
    device: str = Field(description="The device on which the worker computes.", examples=["CPU:0"])
    started_at: AwareDatetime = Field(description="The time when the worker started.")
    loaded_models: tuple[str, ...] = Field(description="The names of the models that the worker has in memory.")
    running: int = Field(description="The number of executions that the worker holds now.")
    draining: bool = Field(default=False, description="If it is true, the worker finishes its work and takes no more.")


class Liveness(BaseModel):
    """The answer of `/livez`: the process runs."""

    status: str = Field(default="ok", description="The status is always `ok`.")


ReadinessStatus = Literal["ready", "starting", "broker_unavailable", "draining"]


class Readiness(BaseModel):
    """The answer of `/readyz`: the service can take jobs, or why it cannot."""

    status: ReadinessStatus = Field(
        description="`ready`: the service takes jobs, and a worker runs them. `starting`: the service takes jobs, and they wait, because "
        "no worker is alive that takes work; this is so before the first worker has started, and again when all have gone. "
        "`broker_unavailable`: Redis does not answer. `draining`: the service is shutting down. The last two are answered with 503."
    )
    workers: tuple[WorkerStatus, ...] = Field(description="The workers that have sent a heartbeat within a lease.")
    queue_depth: dict[str, int] = Field(description="The number of queued executions, by lane.", examples=[{"fast": 0, "slow": 0}])
