// How a job goes on: its place in the queue, its steps, and the picture that forms.
import type { Step } from "../service/run";
import { inWords } from "../heat/scale";

export function ProgressLine({ step, stop }: { step: Step | "sent" | null; stop?: () => void }) {
  if (!step) return <div class="progress-room" aria-hidden="true" />;
  return (
    <div class="progress" role="status">
      {step === "sent" || !step.total ? <progress aria-label="The job" /> : <progress aria-label="The job" max={step.total} value={step.step} />}
      <span class="small">{words(step)}</span>
      {stop && <button type="button" onClick={stop}>Cancel</button>}
      {step !== "sent" && step.preview && <img class="preview" src={step.preview} alt="The picture as it forms" />}
    </div>
  );
}

function words(step: Step | "sent"): string {
  if (step === "sent") return "Running…";
  if (step.position !== null && !step.step) return step.position > 0 ? `Waiting: ${step.position} before it` : "Waiting for a worker";
  if (!step.total) return "Running…";
  return `Step ${step.step} of ${step.total}${step.value !== null ? `, value ${inWords(step.value)}` : ""}`;
}
