// One line across the page when what it shows may be old: the service is gone, or is another version by now.
import { useEffect, useState } from "preact/hooks";
import { clockTime } from "./format.ts";
import { lostSince, newVersionRuns, tryNow, useConnection } from "./live.ts";

export function Banner() {
  const state = useConnection();
  const [back, setBack] = useState(false);
  const [wasLost, setWasLost] = useState(false);
  useEffect(() => {
    if (state === "lost") setWasLost(true);
    if (state !== "live" || !wasLost) return;
    setWasLost(false);
    setBack(true);
    const timer = window.setTimeout(() => setBack(false), 4000);
    return () => window.clearTimeout(timer);
  }, [state]);
  return (
    <div role="status" class="banner-place">
      {state === "lost" ? (
        <div class="banner bad">
          <span><strong>The service does not answer</strong> since {clockTime(new Date(lostSince()).toISOString())}. What you see is from before; trying again every few seconds.</span>
          <button type="button" onClick={tryNow}>Try now</button>
        </div>
      ) : newVersionRuns() ? (
        <div class="banner"><span>Another version of Sluice runs now.</span><button type="button" onClick={() => location.reload()}>Reload the page</button></div>
      ) : back && <div class="banner good"><span>The service is back; this page is up to date.</span></div>}
    </div>
  );
}
