// Serves the bundled page with made-up data, for work on the page without the service:
//   node test/fake-server.mjs [PORT]
// The answers have the shapes of src/api/backend.h, and the headers are the service's own, CSP above all.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fixture from "./fixture.mjs";

const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};
const types = { js: "text/javascript", css: "text/css", svg: "image/svg+xml", html: "text/html; charset=utf-8" };

export function serve(port = 0) {
  const streams = new Set();
  const state = fixture.create();
  const send = (response, status, body, type = "application/json") => {
    response.writeHead(status, { ...headers, "content-type": type });
    response.end(body);
  };
  const tell = (change) => streams.forEach((stream) => stream.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`));
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    const parts = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
    if (parts[0] === "assets") {
      try {
        return send(response, 200, await readFile(join(dist, "assets", parts[1])), types[parts[1].split(".").pop()]);
      } catch {
        return send(response, 404, "", "text/plain");
      }
    }
    if (url.pathname === "/healthz") return send(response, 200, "ok\n", "text/plain");
    if (url.pathname === "/api/v1/events") {
      response.writeHead(200, { ...headers, "content-type": "text/event-stream" });
      response.write('retry: 2000\nevent: hello\ndata: {"version":"0.1.0"}\n\n');
      streams.add(response);
      request.on("close", () => streams.delete(response));
      return;
    }
    if (parts[0] === "api") {
      const answer = state.answer(request.method, parts.slice(2), url.searchParams, tell);
      return answer
        ? send(response, answer.status ?? 200, JSON.stringify(answer.body))
        : send(response, 404, JSON.stringify({ error: { code: "notFound", message: `there is nothing at ${url.pathname}` } }));
    }
    if (parts[0] === "jobs") return send(response, 200, await readFile(join(dist, "index.html")), types.html);
    response.writeHead(307, { location: "/jobs" });
    response.end();
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve({
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      streams.forEach((stream) => stream.end());
      server.close();
      server.closeAllConnections();
    },
  })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve(Number(process.argv[2] ?? 8099));
  console.log(`${url}/jobs`);
}
