// The keyboard: / search, j and k through rows, r the page's main action, t colours, ? this help.
import { useEffect, useRef } from "preact/hooks";
import { go } from "./route.ts";
import { nextTheme } from "./theme.tsx";

const rows = () => [...document.querySelectorAll<HTMLElement>("[data-row]")];

function step(by: number) {
  const all = rows();
  if (!all.length) return;
  const row = document.activeElement?.closest("[data-row-box]");
  const at = all.findIndex((link) => link === document.activeElement || link.closest("[data-row-box]") === row && row !== null);
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function search() {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  if (field) {
    field.focus();
    field.select();
  } else {
    go("/jobs/list");
    requestAnimationFrame(() => document.querySelector<HTMLInputElement>("[data-search]")?.focus());
  }
}

const help: [string, string][] = [
  ["/", "Search jobs"], ["j  k", "Next, previous row"], ["Enter", "Open the row"],
  ["r", "Run now, or retry, where the page shows one thing"], ["o", "Overview"], ["l", "Loaders"], ["d", "Definitions"],
  ["t", "System, light or dark colours"], ["?", "This help"], ["Esc", "Leave a field, close this help"],
];

export function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      if (target.matches("input, select, textarea")) {
        if (event.key === "Escape") target.blur();
        return;
      }
      if (dialog.current?.open) return;
      const actions: Record<string, () => void> = {
        "/": search, j: () => step(1), k: () => step(-1), t: nextTheme, o: () => go("/jobs"),
        l: () => go("/jobs/loaders"), d: () => go("/jobs/definitions"), "?": () => dialog.current?.showModal(),
        r: () => document.querySelector<HTMLElement>("[data-key=r]")?.click(),
      };
      const act = actions[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  return (
    <>
      <button type="button" class="plain" aria-label="Keyboard help" title="Keyboard help (?)" onClick={() => dialog.current?.showModal()}>?</button>
      <dialog ref={dialog} class="help" aria-labelledby="help-title">
        <h2 id="help-title">Keyboard</h2>
        <dl>{help.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
        <form method="dialog"><button class="primary">Close</button></form>
      </dialog>
    </>
  );
}
