// Bundles the chat page, and the panel of greentic dev beside it: a script and a style sheet each, and
// the licences of what is inside.
import { build } from "esbuild";
import { readFileSync, writeFileSync, existsSync } from "node:fs";

const out = new URL("../static/", import.meta.url).pathname;

const result = await build({
  entryPoints: ["chat.ts", "chat.css", "dev.ts", "dev.css"],
  outdir: out,
  bundle: true,
  minify: true,
  charset: "utf8",
  legalComments: "none",
  format: "esm",
  target: ["es2022"],
  metafile: true,
  logLevel: "warning",
});

const packages = new Set();
for (const input of Object.keys(result.metafile.inputs)) {
  const m = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (m) packages.add(m[1]);
}
let text = "The chat page contains these packages under these licences.\n";
for (const name of [...packages].sort()) {
  const meta = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENSE-MIT.txt", "license"].find((f) => existsSync(`node_modules/${name}/${f}`));
  text += `\n---- ${name} ${meta.version} (${meta.license})\n\n`;
  text += file ? readFileSync(`node_modules/${name}/${file}`, "utf8").replace(/\r\n/g, "\n").trimEnd() + "\n" : `Published under the ${meta.license} licence by ${typeof meta.author === "string" ? meta.author : meta.author?.name ?? "its authors"}.\n`;
}
writeFileSync(out + "LICENSES.txt", text);
