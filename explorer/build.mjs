// Build the page into service/explorer_page. The same sources give the same bytes, so a test can rebuild and compare.
// `node build.mjs FOLDER` writes to another folder.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.resolve(process.argv[2] ?? path.join(here, "..", "service", "explorer_page"));
const assets = path.join(folder, "assets");

await rm(assets, { recursive: true, force: true });
await mkdir(assets, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { explorer: "src/main.tsx" },
  outdir: assets,
  entryNames: "[name]",
  assetNames: "[name]-[hash]",
  bundle: true,
  nodePaths: [path.join(here, "node_modules")], // the client in client/typescript finds its package here
  format: "esm",
  target: ["es2022"],
  minify: true,
  legalComments: "eof",
  charset: "utf8",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".jpg": "file", ".svg": "file" },
  logLevel: "warning",
});

// The hash in a name is of the contents alone. Those of esbuild also depend on the folder in which the project lies.
const hashed = async (name, end) => {
  const contents = await readFile(path.join(assets, name + end));
  const file = `${name}-${createHash("sha256").update(contents).digest("hex").slice(0, 8).toUpperCase()}${end}`;
  await rename(path.join(assets, name + end), path.join(assets, file));
  return file;
};
const script = await hashed("explorer", ".js");
const styles = await hashed("explorer", ".css");
const icon = (await readdir(assets)).find((file) => file.startsWith("icon-"));

// The service puts the path under which a proxy shows it in place of {root}.
const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>convscope explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="See what a convolutional network sees in a photo.">
<meta name="convscope-root" content="{root}">
<link rel="icon" href="{root}/explorer/${icon}">
<link rel="stylesheet" href="{root}/explorer/${styles}">
<script type="module" src="{root}/explorer/${script}"></script>
</head>
<body>
<noscript>This page needs JavaScript. The service also answers without it: see <a href="{root}/docs">the addresses</a>.</noscript>
<div id="app"></div>
</body>
</html>
`;
await writeFile(path.join(folder, "index.html"), page);
