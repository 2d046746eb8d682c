// The page of a job, at /jobs/{id}.
import { useEffect, useState } from "preact/hooks";
import { client, getJob, keyWanted, root } from "../service/api";
import { asFault, faultOf, type Fault } from "../service/problem";
import { follow, type Step } from "../service/run";
import type { Job } from "../service/types";
import { watchWorkers } from "../state/catalog";
import { Artifacts, Downloads } from "./artifacts";
import { JobFacts } from "./job_facts";
import { FaultNotice, KeyField, NoWorkers, Warnings } from "./notice";
import { ProgressLine } from "./progress";

export function JobPage({ id }: { id: string }) {
  const [job, setJob] = useState<Job | null>(null);
  const [step, setStep] = useState<Step | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [again, tryAgain] = useState(0);
  useEffect(() => {
    document.title = `Job ${id} – convscope`;
    const abort = new AbortController();
    const read = async () => {
      const found = await getJob(id);
      setJob(found);
      if (found.state !== "queued" && found.state !== "running") return;
      if (found.state === "queued") void watchWorkers();
      await follow(found, setStep, abort.signal);
      setStep(null);
      setJob(await getJob(id, 10));
    };
    setFault(null);
    read().catch((error) => abort.signal.aborted || setFault(asFault(error)));
    return () => abort.abort();
  }, [id, again]);
  const waits = job?.state === "queued" || job?.state === "running";
  return (
    <>
      <KeyField done={() => tryAgain(again + 1)} />
      <NoWorkers />
      <section class="panel" aria-labelledby="job-title">
        <h1 id="job-title">{job ? `${job.method} with ${job.model ?? "no model"}` : keyWanted.value ? "A job" : "The job is being read"}</h1>
        <FaultNotice problem={fault} again={() => tryAgain(again + 1)} />
        {job?.error && <FaultNotice problem={faultOf(job.error.code, job.error.detail)} />}
        {job?.state === "expired" && <p>The results of this job are gone. Run the method again.</p>}
        {job?.state === "canceled" && <p>This job was canceled, so it has no results.</p>}
        {waits && <ProgressLine step={step ?? "sent"} stop={() => void client().cancel(id).then(() => tryAgain(again + 1), (error) => setFault(asFault(error)))} />}
        {job && (
          <div class="take-columns">
            <div>
              <Warnings warnings={job.warnings} />
              {job.state === "succeeded" && <Artifacts job={job} />}
            </div>
            <div>
              <h2>Facts</h2>
              <JobFacts job={job} />
              {job.state === "succeeded" && (
                <>
                  <h2>Files</h2>
                  <Downloads job={job} />
                </>
              )}
            </div>
          </div>
        )}
        <p>
          <a href={`${root}/`}>Open the explorer</a>
        </p>
      </section>
    </>
  );
}
