// The page, and the page of a job.
import { AnswerPanel } from "./panels/answer";
import { JobPage } from "./panels/job_page";
import { LearnPanel } from "./panels/learn";
import { MethodsPanel } from "./panels/methods";
import { NetworkPanel } from "./panels/network";
import { FaultNotice, KeyField, NoWorkers } from "./panels/notice";
import { PhotoPanel } from "./panels/photo";
import { StagePanel } from "./panels/stage";
import { TakeAlongPanel } from "./panels/take_along";
import icon from "./icon.svg";
import { root } from "./service/api";
import { catalogFault, watchWorkers } from "./state/catalog";
import { start, started } from "./state/session";

const JOB = /\/jobs\/([^/]+)\/?$/;

/** Return the id of the job whose page this is; undefined for the explorer. */
export function jobOfAddress(): string | undefined {
  return JOB.exec(location.pathname.slice(root.length))?.[1];
}

/** Ask the service for all that the explorer shows first. */
export function begin(): void {
  void start();
  void watchWorkers();
}

export function App() {
  const job = jobOfAddress();
  return (
    <>
      <header>
        <a class="name" href={`${root}/`}>
          <img src={new URL(icon, import.meta.url).href} alt="" width={22} height={22} /> convscope
        </a>
        <nav aria-label="Parts of this page">
          {!job && (
            <>
              <a href="#methods" onClick={jump}>Methods</a>
              <a href="#network" onClick={jump}>Through the network</a>
              <a href="#take" onClick={jump}>Take it along</a>
              <a href="#learn" onClick={jump}>Learn</a>
            </>
          )}
          <a href={`${root}/docs`}>API</a>
        </nav>
      </header>
      <main>{job ? <JobPage id={decodeURIComponent(job)} /> : <Explorer />}</main>
    </>
  );
}

// The part after '#' is the permalink, so a jump must not change it.
function jump(event: MouseEvent): void {
  event.preventDefault();
  const there = document.querySelector<HTMLElement>(new URL((event.currentTarget as HTMLAnchorElement).href).hash)!;
  there.scrollIntoView();
  there.querySelector<HTMLElement>("button, input, select, a")?.focus({ preventScroll: true });
}

function Explorer() {
  return (
    <>
      <h1 class="hidden-words">See what a network sees in a photo</h1>
      <KeyField />
      <NoWorkers />
      <FaultNotice problem={catalogFault.value} again={() => void start()} />
      <div class="top">
        <PhotoPanel />
        <StagePanel />
        <AnswerPanel />
      </div>
      {started.value && (
        <>
          <MethodsPanel />
          <NetworkPanel />
          <TakeAlongPanel />
          <LearnPanel />
        </>
      )}
    </>
  );
}
