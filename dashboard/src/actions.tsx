// Doing things: buttons that ask first where it matters, and one line that says what became of it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { postJson } from "./live.ts";
import { StateIcon } from "./parts.tsx";
import { jobUrl } from "./route.ts";

export interface Said { text: string; bad: boolean; url?: string }
let showNote: (note: Said | null) => void = () => {};
export const say = (note: Said) => showNote(note);

// A live region: it speaks only when it changes.
export function Note() {
  const [note, setNote] = useState<Said | null>(null);
  showNote = setNote;
  useEffect(() => {
    if (!note || note.bad) return;
    const timer = window.setTimeout(() => setNote(null), 8000);
    return () => window.clearTimeout(timer);
  }, [note]);
  return (
    <div class="note-place" role="status">
      {note && (
        <div class={`note ${note.bad ? "bad" : ""}`}>
          <StateIcon state={note.bad ? "failed" : "succeeded"} />
          <span>{note.text}</span>
          {note.url && <a href={note.url}>Show</a>}
          <button type="button" class="plain" aria-label="Close this message" onClick={() => setNote(null)}>×</button>
        </div>
      )}
    </div>
  );
}

// Asks in a dialog of the browser's own: focus is caught, Escape is "no".
export function Confirm({ title, children, yes, onYes, onNo }: {
  title: string; children: ComponentChildren; yes: string; onYes: () => void; onNo: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="ask" aria-labelledby="ask-title" onClose={onNo}>
      <h2 id="ask-title">{title}</h2>
      <div class="ask-text">{children}</div>
      <div class="ask-buttons">
        <button type="button" onClick={() => dialog.current?.close()}>No</button>
        <button type="button" class="primary danger-yes" onClick={onYes}>{yes}</button>
      </div>
    </dialog>
  );
}

export function ActionButton({ url, label, done, name, primary, danger, shortcut, confirm }: {
  url: string; label: string; done: string; name: string; primary?: boolean; danger?: boolean; shortcut?: string;
  confirm?: { title: string; text: string; yes: string };
}) {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);
  const act = async () => {
    if (busy) return;
    setAsking(false);
    setBusy(true);
    try {
      const answer = await postJson<{ job?: string; id?: string } | null>(url);
      const job = answer?.job;
      say({ text: job ? `${done} as job ${job}.` : `${done}.`, bad: false, ...(job ? { url: jobUrl(job) } : {}) });
    } catch (error) {
      say({ text: error instanceof Error ? error.message : String(error), bad: true });
    } finally {
      if (alive.current) setBusy(false);
    }
  };
  return (
    <>
      <button type="button" class={`${primary ? "primary" : ""} ${danger ? "danger" : ""}`} aria-disabled={busy}
        aria-label={`${label} ${name}`} data-key={shortcut} onClick={() => (confirm ? setAsking(true) : void act())}>
        {busy ? "…" : label}
      </button>
      {asking && confirm && <Confirm title={confirm.title} yes={confirm.yes} onYes={() => void act()} onNo={() => setAsking(false)}><p>{confirm.text}</p></Confirm>}
    </>
  );
}
