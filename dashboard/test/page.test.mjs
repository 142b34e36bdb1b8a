// Drives the page in Debian's Chromium: clicks through, checks accessibility, content security and escaping, and
// takes screenshots.
//   SLUICE_URL=http://127.0.0.1:8080 SLUICE_SHOTS=DIR SLUICE_BROKEN=FILE:LINE node test/page.test.mjs
// Without SLUICE_URL it serves itself made-up data (build the page first: node build.mjs).
// SLUICE_BROKEN: a definition file that is broken, and the line that the page must name.
import axe from "axe-core";
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const fake = process.env.SLUICE_URL ? null : await (await import("./fake-server.mjs")).serve();
const base = process.env.SLUICE_URL?.replace(/\/$/, "") ?? fake.url;
const shots = process.env.SLUICE_SHOTS ?? null;
const loader = process.env.SLUICE_LOADER ?? "Country";
const broken = process.env.SLUICE_BROKEN ?? (fake ? "erp/Customer.loader.yaml:2" : null);
if (shots) await mkdir(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const problems = [];
let step = "";

async function open(options) {
  const context = await browser.newContext({ bypassCSP: false, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on("console", (message) => {
    // A refused action (501 and the like) is logged by the browser itself; the page shows it.
    if (message.type() === "error" && !/the server responded with a status of (501|409|404|400)/.test(message.text())) problems.push(`${step}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`${step}: ${error.stack ?? error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) problems.push(`${step}: foreign request ${request.url()}`);
  });
  return page;
}

// Until the page says yes. Playwright's own waitForFunction may use eval, which the page's policy forbids.
async function until(page, question, argument) {
  const end = Date.now() + 15e3;
  while (!(await page.evaluate(question, argument))) {
    assert.ok(Date.now() < end, `still not so: ${question}`);
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

async function visit(page, path, waitFor) {
  await page.goto(base + path, { waitUntil: "load" });
  await page.locator(waitFor).first().waitFor();
}

async function check(page, name) {
  // Through the debugger, which the page's own policy does not bind.
  await page.evaluate(axe.source);
  const result = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  for (const violation of result.violations) {
    problems.push(`${name}: axe ${violation.id}: ${violation.help}\n    ${violation.nodes.slice(0, 4).map((node) => `${node.target.join(" ")} ${node.any?.[0]?.message ?? ""}`).join("\n    ")}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) problems.push(`${name}: the page scrolls sideways by ${wide}px`);
  if (await page.evaluate(() => window.pwned)) problems.push(`${name}: text from outside ran as script`);
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

async function testRun() {
  step = "run now";
  const page = await open({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
  await visit(page, "/jobs", "table.loaders");
  await page.getByRole("button", { name: `Run now ${loader}` }).click();
  const note = page.locator(".note");
  await note.waitFor();
  assert.match(await note.innerText(), /started as job \d+/);
  await note.getByRole("link", { name: "Show" }).click();
  step = "job page";
  await page.getByRole("heading", { level: 1, name: loader }).waitFor();
  // Live: nobody reloads, the state changes by itself.
  await page.locator(".page-head .state", { hasText: /Succeeded|Failed/ }).waitFor({ timeout: 30000 });
  assert.match(await page.locator(".page-head .state").innerText(), /Succeeded/);
  await page.locator(".counts").waitFor();
  await page.locator(".timeline li").nth(1).waitFor();
  await page.locator(".live-live").waitFor();
  await page.context().close();
}

async function testFilters() {
  step = "filters";
  const page = await open({ viewport: { width: 1360, height: 900 } });
  await visit(page, "/jobs/list", "tbody tr");
  await page.locator(".states a", { hasText: "Succeeded" }).click();
  await page.waitForURL(/state=succeeded/);
  await until(page, () => [...document.querySelectorAll("tbody .state")].every((cell) => cell.textContent === "Succeeded"));
  await page.getByRole("combobox", { name: "Loader" }).fill(loader);
  await page.waitForURL(new RegExp(`loader=${loader}`));
  await page.goBack();
  await page.waitForURL((url) => !url.search.includes("loader="));
  if (fake) {
    await visit(page, "/jobs/list", "tbody tr");
    const first = await page.locator("tbody tr").first().innerText();
    await page.getByRole("link", { name: "Older" }).click();
    await page.waitForURL(/after=/);
    await until(page, (text) => document.querySelector("tbody tr")?.innerText !== text, first);
  }
  step = "keyboard";
  await visit(page, "/jobs/list", "tbody tr");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  assert.equal(await page.evaluate(() => [...document.querySelectorAll("[data-row]")].indexOf(document.activeElement)), 1);
  await page.keyboard.press("/");
  assert.ok(await page.evaluate(() => document.activeElement.matches("[data-search]")));
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Shift+Tab");
  step = "theme";
  await page.getByRole("button", { name: /^Colours/ }).click();
  await page.getByRole("button", { name: /^Colours/ }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.context().close();
}

// What matters is asked first, and "no" does nothing.
async function testQuestions() {
  step = "cancel asks first";
  const page = await open({ viewport: { width: 1360, height: 900 } });
  await visit(page, "/jobs/list?state=processing", "tbody tr");
  await page.locator("[data-row]").first().click();
  await page.getByRole("button", { name: /^Cancel job/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await dialog.getByRole("button", { name: "No" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.locator(".note").count(), 0);
  await page.getByRole("button", { name: /^Cancel job/ }).click();
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("button", { name: /^Cancel job/ }).click();
  await dialog.getByRole("button", { name: "Cancel this job" }).click();
  assert.match(await page.locator(".note").innerText(), /Asked to stop/);
  step = "many at once";
  await visit(page, "/jobs/list", "tbody tr");
  await page.getByRole("checkbox", { name: "Choose all jobs shown" }).check();
  await page.getByRole("group", { name: /chosen jobs/ }).getByRole("button", { name: /^Cancel \d/ }).click();
  await dialog.getByRole("button", { name: /^Cancel \d+ job/ }).click();
  await page.locator(".note", { hasText: /Cancelled: \d+ of \d+/ }).waitFor();
  assert.equal(await page.locator(".chosen-bar").count(), 0);
  await page.context().close();
}

async function testFinding() {
  step = "filters by time and kind";
  const page = await open({ viewport: { width: 1360, height: 900 } });
  const asked = [];
  page.on("request", (request) => { if (request.url().includes("/api/v1/jobs?")) asked.push(new URL(request.url()).searchParams); });
  await visit(page, "/jobs/list", "tbody tr");
  await page.getByRole("combobox", { name: "Created" }).selectOption("24h");
  await page.waitForURL(/since=24h/);
  await until(page, () => document.querySelectorAll("tbody tr").length > 0);
  const from = Date.parse(asked.at(-1).get("from"));
  assert.ok(Math.abs(Date.now() - 86400e3 - from) < 120e3, `from ${asked.at(-1).get("from")}`);
  await page.getByRole("combobox", { name: "Kind" }).selectOption("load");
  await page.getByRole("combobox", { name: "Queue" }).selectOption("default");
  await page.waitForURL(/queue=default/);
  assert.equal(asked.at(-1).get("kind"), "load");
  await page.getByRole("searchbox", { name: "Search name or error" }).fill("no job is called this");
  await page.locator(".empty", { hasText: "No job matches" }).waitFor();
  step = "finding a loader";
  await visit(page, "/jobs/loaders", "table.loaders");
  await page.getByRole("searchbox", { name: "Find a loader" }).fill(loader.toLowerCase());
  await until(page, (name) => {
    const rows = [...document.querySelectorAll("table.loaders tbody tr")];
    return rows.length === 1 && rows[0].innerText.includes(name);
  }, loader);
  assert.match(page.url(), /text=/, "what was looked for is in the address");
  await page.getByRole("searchbox", { name: "Find a loader" }).fill("nobody");
  await page.locator(".empty", { hasText: "No loader matches" }).waitFor();
  await page.context().close();
}

// The page says when the service is gone, and comes back by itself.
async function testGone() {
  step = "the service goes and comes back";
  let own = await (await import("./fake-server.mjs")).serve();
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${own.url}/jobs`);
  await page.locator(".live-live").waitFor();
  const port = Number(new URL(own.url).port);
  own.close();
  await page.locator(".banner.bad").waitFor({ timeout: 15000 });
  assert.match(await page.locator(".banner.bad").innerText(), /does not answer/);
  assert.ok(await page.locator("table.loaders tbody tr").count(), "what was known stays on the page");
  await page.getByRole("button", { name: /^Run now Country/ }).click();
  await page.locator(".note.bad", { hasText: "nothing was done" }).waitFor();
  own = await (await import("./fake-server.mjs")).serve(port);
  await page.locator(".live-live").waitFor({ timeout: 20000 });
  assert.equal(await page.locator(".banner.bad").count(), 0);
  await context.close();
  own.close();
}

async function testBroken() {
  step = "broken definition";
  const [, file, line] = /^(.*):(\d+)$/.exec(broken);
  const page = await open({ viewport: { width: 1360, height: 900 } });
  await visit(page, "/jobs/definitions", ".problem");
  const place = page.locator(".problem .place", { hasText: file }).first();
  assert.ok((await place.innerText()).startsWith(`${file}:${line}`), `the page names ${await place.innerText()}`);
  // The line itself, and a caret under the place.
  const excerpt = await page.locator(".problem", { hasText: file }).first().locator("pre").innerText();
  assert.match(excerpt, /\n *\^$/);
  await page.context().close();
}

// The job whose page shows most: one that changed rows.
async function telling() {
  const list = await (await fetch(`${base}/api/v1/jobs?state=succeeded,failed&limit=100`)).json();
  const pick = (test) => list.items.find(test)?.id;
  return {
    changed: pick((job) => job.receipt && job.receipt.rejected) ?? pick((job) => job.receipt && job.receipt.updated + job.receipt.deleted > 0) ?? list.items[0].id,
    failed: pick((job) => job.state === "failed"),
  };
}

// The phrase tester: the meaning, the runs with weekday and offset, the caret under a wrong word, by keyboard alone.
async function testPhrases() {
  step = "try a schedule";
  const page = await open({ viewport: { width: 1360, height: 900 }, colorScheme: "light" });
  await visit(page, "/jobs/schedule?phrase=every+day+at+2:30am&zone=Europe/Zurich", ".times li");
  const phrase = page.getByLabel("When");
  const zone = page.getByLabel("Time zone");
  const meaning = page.getByRole("status").filter({ has: page.locator(".answer") });
  assert.equal(await phrase.inputValue(), "every day at 2:30am");
  assert.equal(await zone.inputValue(), "Europe/Zurich");
  assert.match(await meaning.innerText(), /every day at 02:30[\s\S]*30 2 \* \* \*[\s\S]*Europe\/Zurich/);
  const runs = await page.locator(".times li").allInnerTexts();
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  for (const run of runs) {
    const [, day, date, offset] = /^(\w{3})\s+(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d\s+(\+0[12]:00)/.exec(run) ?? assert.fail(`no run: ${run}`);
    assert.equal(day, days[new Date(`${date}T00:00:00Z`).getUTCDay()], run);
    assert.ok(offset);
  }
  if (fake) {
    assert.match(runs[2], /03:00:00\s+\+02:00[\s\S]*clocks go forward 1:00/);
    assert.match(runs[5], /clocks go back 1:00/);
    assert.doesNotMatch(runs[1] + runs[3], /clocks/);
  }

  // A wrong word: marked where it stands, also behind letters of two bytes; the better phrase is one key away.
  await phrase.fill("every dya at 2am");
  const place = page.locator("#meaning pre");
  await place.waitFor();
  assert.match(await meaning.innerText(), /unknown word "dya"/);
  assert.equal(await place.locator("mark").innerText(), "dya");
  assert.match(await place.innerText(), /\n {6}\^{3}$/);
  assert.equal(await phrase.getAttribute("aria-invalid"), "true");
  await check(page, "schedule-refused");
  const better = page.getByRole("button", { name: "every day at 2am", exact: true });
  await better.focus();
  await page.keyboard.press("Enter");
  assert.equal(await phrase.inputValue(), "every day at 2am");
  await page.locator(".times li").first().waitFor();
  assert.equal(await phrase.getAttribute("aria-invalid"), "false");
  assert.ok(await phrase.evaluate((node) => node === document.activeElement));
  assert.match(page.url(), /phrase=every\+day\+at\+2am/);

  // Warnings, true intervals, never, a zone that nobody knows, and nothing at all.
  await phrase.fill("every 3 days");
  await page.locator("#meaning .warning", { hasText: "anew each month" }).waitFor();
  assert.match(await meaning.innerText(), /the nearest that cron can say/);
  await phrase.fill("every 7 hours");
  await page.locator("#meaning .facts", { hasText: "7 hours, counted from" }).waitFor();
  await phrase.fill("never");
  await page.locator("#meaning .empty", { hasText: "never runs by itself" }).waitFor();
  await zone.fill("Mars/Base");
  await page.locator("#meaning .failure", { hasText: "Mars/Base" }).waitFor();
  assert.equal(await zone.getAttribute("aria-invalid"), "true");
  await zone.fill("");
  await phrase.fill("");
  await page.locator("#meaning .empty", { hasText: "Write a phrase" }).waitFor();
  await page.context().close();
}

async function testLooks() {
  const { changed, failed } = await telling();
  const pages = [
    ["overview", "/jobs", ".chart canvas"], ["jobs", "/jobs/list", "tbody tr"], ["job", `/jobs/${changed}`, ".timeline li"],
    ...(failed ? [["job-failed", `/jobs/${failed}`, ".timeline li"]] : []), ["loader", `/jobs/loaders/${loader}`, ".facts"],
    ["loaders", "/jobs/loaders", "table.loaders"], ["definitions", "/jobs/definitions", "tbody tr"], ["nodes", "/jobs/nodes", "tbody tr"],
    ["schedule", "/jobs/schedule", ".times li"], ["schedule-refused", "/jobs/schedule?phrase=every+dya+at+2am", "#meaning pre"],
  ];
  const looks = [
    ["light", { viewport: { width: 1360, height: 900 }, colorScheme: "light" }], ["dark", { viewport: { width: 1360, height: 900 }, colorScheme: "dark" }],
    ["narrow", { viewport: { width: 320, height: 700 }, colorScheme: "light", hasTouch: true }],
  ];
  for (const [look, options] of looks) {
    const page = await open({ reducedMotion: "reduce", ...options });
    for (const [name, path, waitFor] of pages) {
      step = `${name}-${look}`;
      await visit(page, path, waitFor);
      await check(page, step);
    }
    await page.context().close();
  }
}

let code = 0;
try {
  await testRun();
  await testFilters();
  await testFinding();
  await testPhrases();
  if (fake) await testQuestions();
  if (fake) await testGone();
  if (broken) await testBroken();
  await testLooks();
  if (problems.length) throw new Error(`${problems.length} problems\n- ${problems.join("\n- ")}`);
  console.log("page: ok");
} catch (error) {
  console.error(`page: ${step}: ${error.stack ?? error}`);
  for (const problem of problems) console.error(`- ${problem}`);
  code = 1;
} finally {
  await browser.close();
  fake?.close();
}
process.exitCode = code;
