// The families of methods as the page shows them. The service says to which family a method belongs, so a new one has its place.
import type { Method } from "../service/types";

export interface Family {
  name: string;
  question: string;
  methods: Method[];
}

interface Rule {
  name: string;
  question: string;
  holds: (method: Method) => boolean;
}

/** Tell whether a method takes several photos. The page shows one, so it cannot run such a method. */
export const takesSeveralPhotos = (method: Method) => method.parameters.properties?.images !== undefined;

const of = (family: string) => (method: Method) => method.family === family && method.name !== "compare" && !takesSeveralPhotos(method);

const RULES: Rule[] = [
  { name: "Where", question: "Which regions of the photo speak for the class?", holds: of("cam") },
  { name: "Pixels", question: "Which single pixels does the score depend on?", holds: (method) => of("gradients")(method) || of("relevance")(method) },
  { name: "Attention", question: "What does a vision transformer attend to?", holds: of("attention") },
  { name: "Cover it", question: "How does the score change when a part of the photo is hidden?", holds: of("perturbation") },
  { name: "Change it", question: "What follows if the photo or the network is changed?", holds: of("interventions") },
  { name: "Compare", question: "Do several methods agree?", holds: (method) => method.name === "compare" },
  { name: "How true", question: "Does the model really use what a map shows?", holds: of("evaluation") },
  { name: "Several photos", question: "What do several photos have in common? How do several models answer them?", holds: takesSeveralPhotos },
  { name: "More", question: "What else can the service draw?", holds: () => true },
];

// The answer is a panel of its own.
const ELSEWHERE = ["predict"];

// The best known method is first in its family.
const FIRST = ["grad_cam", "saliency", "occlusion"];

/** Return the families that have a method, each method in one of them. */
export function familiesOf(methods: readonly Method[]): Family[] {
  const left = new Set(methods.filter((each) => !ELSEWHERE.includes(each.name)));
  const families = RULES.map(({ name, question, holds }) => {
    const found = [...left].filter(holds);
    for (const each of found) left.delete(each);
    return { name, question, methods: found.sort((a, b) => Number(FIRST.includes(b.name)) - Number(FIRST.includes(a.name))) };
  });
  return families.filter((each) => each.methods.length > 0);
}
