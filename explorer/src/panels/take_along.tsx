// Take it along: the same call in other languages, the files, a permalink, and what the job says about itself.
import { useState } from "preact/hooks";
import { hasKey, root } from "../service/api";
import { modelName } from "../state/catalog";
import { currentParams, lastJob, method } from "../state/explain";
import { photo } from "../state/photo";
import { permalink } from "../state/session";
import { curlCall, javascriptCall, pythonCall, type Call } from "../words/calls";
import { Downloads } from "./artifacts";
import { JobFacts } from "./job_facts";
import { Empty, Warnings } from "./notice";

const LANGUAGES = { curl: curlCall, Python: pythonCall, JavaScript: javascriptCall };
type Language = keyof typeof LANGUAGES;

export function TakeAlongPanel() {
  const [language, speak] = useState<Language>("curl");
  const card = method.value;
  const job = lastJob.value;
  const link = `${location.origin}${root}/${permalink()}`;
  if (!card) return null;
  const call: Call = {
    service: location.origin + root,
    method: card.name,
    model: card.needs_model ? modelName.value : null,
    fileName: card.needs_image ? (photo.value?.fileName ?? "photo.jpg") : null,
    params: currentParams(),
    key: hasKey.value,
  };
  const text = LANGUAGES[language](call);
  return (
    <section class="panel take" id="take" aria-labelledby="take-title">
      <h2 id="take-title">Take it along</h2>
      <div class="take-columns">
        <div>
          <h3>The same call</h3>
          <div class="tabs" role="group" aria-label="Language of the call">
            {(Object.keys(LANGUAGES) as Language[]).map((each) => (
              <button key={each} type="button" aria-pressed={each === language} onClick={() => speak(each)}>{each}</button>
            ))}
            <Copy text={text} what="the call" />
          </div>
          <pre tabIndex={0} role="group" aria-label={`The call in ${language}`}><code>{text}</code></pre>
          <h3>A link to what you see</h3>
          <p class="row">
            <a class="permalink" href={link}>{link.length > 70 ? `${link.slice(0, 70)}…` : link}</a>
            <Copy text={link} what="the link" />
          </p>
          <p class="small">
            The link restores the model, the method, the class, the parameters, the drawing and the channel. A sample is part of it; a photo of
            yours is found as long as the service keeps it, and only with your key.
          </p>
        </div>
        <div>
          <h3>Facts</h3>
          {job ? (
            <>
              <Warnings warnings={job.warnings} />
              <JobFacts job={job} />
              <h3>Files</h3>
              <Downloads job={job} />
              <p>
                <a href={`${root}/jobs/${job.id}`}>The page of this job</a>
              </p>
            </>
          ) : (
            <Empty>Run a method to have its facts and files here.</Empty>
          )}
        </div>
      </div>
    </section>
  );
}

function Copy({ text, what }: { text: string; what: string }) {
  const [words, say] = useState("Copy");
  const copy = () =>
    navigator.clipboard
      ? navigator.clipboard.writeText(text).then(
          () => say("Copied"),
          () => say("Select and copy it yourself"),
        )
      : say("Select and copy it yourself"); // browsers give the clipboard to secure pages only
  return <button type="button" onClick={() => void copy()} aria-label={`${words} ${what}`} onBlur={() => say("Copy")}>{words}</button>;
}
