// Bundles the page. `--cpp FILE` writes it as a C++ source for embedding, `--out DIR` as plain files (default
// dist/). File names carry a hash of their content, so that they can be cached for ever.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const option = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? null : process.argv[at + 1];
};

const bundle = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx"],
  bundle: true,
  minify: true,
  write: false,
  outdir: "dist",
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});

const hashed = (stem, extension, bytes) =>
  `${stem}-${createHash("sha256").update(bytes).digest("hex").slice(0, 10)}.${extension}`;
const contents = (extension) => bundle.outputFiles.find((file) => file.path.endsWith(extension)).contents;

const script = contents(".js");
const style = contents(".css");
const icon = await readFile(join(here, "src/favicon.svg"));
const names = {
  script: hashed("app", "js", script),
  style: hashed("app", "css", style),
  icon: hashed("favicon", "svg", icon),
};
const page = (await readFile(join(here, "src/index.html"), "utf8")).replace(/%(\w+)%/g, (_, key) => names[key]);

const files = [
  { name: "index.html", type: "text/html; charset=utf-8", bytes: Buffer.from(page) },
  { name: names.script, type: "text/javascript; charset=utf-8", bytes: script },
  { name: names.style, type: "text/css; charset=utf-8", bytes: style },
  { name: names.icon, type: "image/svg+xml", bytes: icon },
  { name: "favicon.svg", type: "image/svg+xml", bytes: icon },
];

function asCpp() {
  const arrays = [];
  const rows = [];
  files.forEach((file, index) => {
    const packed = gzipSync(file.bytes, { level: 9 });
    const lines = [];
    for (let at = 0; at < packed.length; at += 32) {
      lines.push([...packed.subarray(at, at + 32)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(""));
    }
    arrays.push(`constexpr char kFile${index}[] =\n${lines.map((line) => `    "${line}"`).join("\n")};\n`);
    rows.push(`    {"${file.name}", "${file.type}", {kFile${index}, ${packed.length}}},`);
  });
  return `// Written by dashboard/build.mjs.
#include "api/assets.h"

namespace sluice::api {
namespace {

${arrays.join("\n")}
constexpr Asset kAssets[] = {
${rows.join("\n")}
};

}  // namespace

std::span<const Asset> page_assets() { return kAssets; }

}  // namespace sluice::api
`;
}

const cpp = option("--cpp");
if (cpp) {
  await mkdir(dirname(cpp), { recursive: true });
  await writeFile(cpp, asCpp());
} else {
  const out = option("--out") ?? join(here, "dist");
  await mkdir(join(out, "assets"), { recursive: true });
  for (const file of files) {
    await writeFile(file.name.startsWith("index") ? join(out, file.name) : join(out, "assets", file.name), file.bytes);
  }
}
const packedSize = files.reduce((sum, file) => sum + gzipSync(file.bytes, { level: 9 }).length, 0);
console.log(`page: ${names.script}, ${names.style}; ${(packedSize / 1024).toFixed(1)} KiB packed`);
