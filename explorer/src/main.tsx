import { render } from "preact";
import { App, begin, jobOfAddress } from "./app";
import "./styles.css";

if (!jobOfAddress()) begin(); // before the page is drawn for the first time, so the answers come while it is
render(<App />, document.getElementById("app")!);
