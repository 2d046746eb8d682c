/** Run the tests in Node: the context comes as a JSON file, and the outcomes are printed as JSON. */

import { readFile } from "node:fs/promises";

import { outcomes } from "./suite.js";

const { photo, ...rest } = JSON.parse(await readFile(process.argv[2]!, "utf8"));
const found = await outcomes({ ...rest, photo: new Blob([await readFile(photo)]) });
process.stdout.write(JSON.stringify(found), () => process.exit(0)); // it does not wait for the timers of the tests
