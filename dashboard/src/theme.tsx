// Light or dark: the system's wish, unless the reader chose. The choice is kept in this browser.
import { useEffect, useState } from "preact/hooks";

export type Choice = "auto" | "light" | "dark";
const order: Choice[] = ["auto", "light", "dark"];
const system = matchMedia("(prefers-color-scheme: dark)");
const watchers = new Set<() => void>();

function stored(): Choice {
  try {
    const value = localStorage.getItem("sluice.theme");
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // storage may be forbidden
  }
}

let choice = stored();

function apply() {
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  watchers.forEach((watch) => watch());
}

export function nextTheme() {
  choice = order[(order.indexOf(choice) + 1) % order.length]!;
  try {
    localStorage.setItem("sluice.theme", choice);
  } catch {
    // The choice then lasts as long as the tab.
  }
  apply();
}

apply();
system.addEventListener("change", apply);

// What is shown ("light" or "dark"): for what reads colours itself.
export function useTheme(): "light" | "dark" {
  const shown = () => (choice === "auto" ? (system.matches ? "dark" : "light") : choice);
  const [theme, setTheme] = useState(shown);
  useEffect(() => {
    const watch = () => setTheme(shown());
    watchers.add(watch);
    return () => void watchers.delete(watch);
  }, []);
  return theme;
}

export function ThemeButton() {
  const [current, setCurrent] = useState(choice);
  useEffect(() => {
    const watch = () => setCurrent(choice);
    watchers.add(watch);
    return () => void watchers.delete(watch);
  }, []);
  const word = { auto: "System", light: "Light", dark: "Dark" }[current];
  return (
    <button type="button" class="plain theme" onClick={nextTheme} aria-label={`Colours: ${word}. Change`} title={`Colours: ${word} (t)`}>
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        {current === "light" && <><circle cx="8" cy="8" r="3" /><path d="M8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M12.600 3.400l-1 1M4.400 11.600l-1 1" /></>}
        {current === "dark" && <path d="M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z" />}
        {current === "auto" && <><circle cx="8" cy="8" r="5.500" /><path class="filled" d="M8 2.500a5.500 5.500 0 0 1 0 11z" /></>}
      </svg>
    </button>
  );
}
