// One turn as its record tells it: why, what went in and out, what was asked of the host, how long.

export interface HostCall {
  import: string;
  subject?: string;
  outcome: string;
  duration_ns: number;
  asked?: unknown;
  answered?: unknown;
}

export interface Step {
  n: number;
  node: string;
  branch?: string;
  do: string;
  flow?: string;
  component?: string;
  operation?: string;
  attempt?: number;
  input?: unknown;
  config?: unknown;
  output?: unknown;
  fail?: { code?: string };
  trace?: { calls?: HostCall[] };
  effect?: boolean;
  took_ns?: number;
  why?: string;
  file?: string;
  line?: number;
  col?: number;
}

export interface Turn {
  turn: string;
  status: string;
  pack?: string;
  flow?: string;
  began: string;
  took_ns: number;
  error?: { code: string; message: string };
  steps: Step[];
  trigger: { kind: string; key: string; route?: string; body?: { text?: string; topic?: string; metadata?: Record<string, string> } };
}

export interface Decision {
  about: string;
  value: string;
  why: string;
}

type Child = Node | string | undefined;

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children.filter((c): c is Node | string => c !== undefined && c !== ""));
  return e;
}

// took is a duration in the unit people compare.
export function took(ns: number | undefined): string {
  if (!ns) return "";
  if (ns < 1e6) return `${Math.round(ns / 1e3)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toPrecision(3)} ms`;
  return `${(ns / 1e9).toPrecision(3)} s`;
}

export function clock(at: string): HTMLTimeElement {
  const e = el("time", "", new Date(at).toLocaleTimeString(undefined, { timeStyle: "medium" }));
  e.dateTime = at;
  e.title = new Date(at).toLocaleString();
  return e;
}

export function place(file?: string, line?: number, col?: number): string {
  return [file, line || undefined, col || undefined].filter((x) => x !== undefined && x !== "").join(":");
}

// copier is a button that puts a text into the clipboard, where the browser has one.
export function copier(label: string, text: string, what: string): HTMLElement {
  if (!navigator.clipboard) return el("code", "place", label);
  const b = el("button", "place", label);
  b.type = "button";
  b.title = `Copy ${what}`;
  b.addEventListener("click", async (e) => {
    e.preventDefault(); // it may stand in a summary
    await navigator.clipboard.writeText(text);
    b.classList.add("copied");
    setTimeout(() => b.classList.remove("copied"), 1200);
  });
  return b;
}

const words: Record<string, string> = { done: "✓ done", waiting: "◔ waiting", failed: "✕ failed" };

const longest = 20_000;

function json(title: string, v: unknown): HTMLElement | undefined {
  if (v === undefined || v === null) return undefined;
  let text = JSON.stringify(v, null, 2);
  if (text.length > longest) text = text.slice(0, longest) + "\n… cut here; the record has all of it";
  const pre = el("pre", "", text);
  pre.tabIndex = 0;
  pre.setAttribute("aria-label", title);
  return el("div", "pane", el("h3", "", title), pre);
}

function hostCall(c: HostCall): HTMLElement {
  const [path, op] = c.import.split("#");
  const name = el("span", "node", `${path?.split("/").pop()?.split("@")[0] ?? c.import} ${op ?? ""}`);
  name.title = c.import;
  const details = el("details", "", el("summary", "", name, el("span", "does", c.subject ?? ""), el("span", c.outcome === "ok" ? "does" : "does odd", c.outcome), el("span", "took", took(c.duration_ns))));
  details.append(...[json("Asked", c.asked), json("Answered", c.answered)].filter((x) => x !== undefined));
  return el("li", "", details);
}

function step(s: Step, whole: number): HTMLElement {
  const does = [s.do, s.flow, s.component, s.operation].filter(Boolean).join(" ");
  const where = place(s.file, s.line, s.col);
  const share = el("span", "share");
  share.style.inlineSize = `${Math.max(1, Math.round((100 * (s.took_ns ?? 0)) / Math.max(whole, 1)))}%`;
  const line = el("summary", "",
    el("span", "n", String(s.n)), el("span", "node", s.node), s.branch ? el("span", "does", `in ${s.branch}`) : undefined, el("span", "does", does),
    s.attempt && s.attempt > 1 ? el("span", "does odd", `attempt ${s.attempt}`) : undefined,
    s.fail ? el("span", "does bad", `failed: ${s.fail.code ?? "error"}`) : undefined,
    el("span", "took", took(s.took_ns)),
    el("span", "why", s.why ?? "", s.file ? " " : undefined, s.file ? el("code", "", where) : undefined));
  const details = el("details", "step", line);
  details.dataset.node = s.node;
  if (s.took_ns) details.append(el("div", "shares", share));
  const panes = [json("Input", s.input), json("Configuration", s.config), json("Output", s.output), json("Failure", s.fail)].filter((x) => x !== undefined);
  details.append(...panes);
  const calls = s.trace?.calls ?? [];
  if (calls.length > 0) details.append(el("h3", "", `Host calls (${calls.length})`), el("ol", "calls", ...calls.map(hostCall)));
  if (s.effect) details.append(el("p", "note", "It called the outside in a way that must not happen twice, so the progress was stored before the next step."));
  if (panes.length === 0 && calls.length === 0) details.append(el("p", "note", "Nothing went in or out."));
  if (where) details.append(el("p", "note", copier(`Copy ${where}`, where, "the place")));
  return el("li", "", details);
}

// said is what began the turn, in a few words.
function said(t: Turn): string {
  const b = t.trigger.body;
  if (b?.text) return `“${b.text.length > 60 ? b.text.slice(0, 59) + "…" : b.text}”`;
  if (b?.metadata?.action) return `button ${b.metadata.action}`;
  if (b?.topic) return `event ${b.topic}`;
  return t.trigger.kind === "message" ? "the conversation begins" : t.trigger.kind;
}

// turnItem shows a turn closed; more fills what stands only in the open one.
export function turnItem(t: Turn, foreign: boolean, curl: string, more: (into: HTMLElement) => void): HTMLLIElement {
  const summary = el("summary", "",
    el("span", `status ${t.status}`, words[t.status] ?? t.status), el("span", "said", said(t)),
    el("span", "meta", [t.flow ?? "no flow", `${t.steps.reduce((n, s) => Math.max(n, s.n), 0)} steps`, took(t.took_ns)].join(" · "), " · ", clock(t.began)));
  const details = el("details", "turn", summary);
  if (foreign) details.append(el("p", "note", "Of ", el("code", "", t.trigger.key)));
  if (t.error) details.append(el("p", "bad", `${t.error.code}: ${t.error.message}`));
  const about = el("div", "about");
  details.append(about, el("ol", "steps", ...t.steps.map((s) => step(s, t.took_ns))));
  details.append(el("p", "actions", copier("Copy as curl", curl, "the request for this record"), " ", copier(t.turn.slice(0, 4) + "…" + t.turn.slice(-6), t.turn, "the id of the turn")));
  details.addEventListener("toggle", () => { if (details.open) more(about); }, { once: true });
  return el("li", "", details);
}

// decisions shows what was decided for the whole turn.
export function decisions(list: Decision[]): HTMLElement {
  const d = el("dl", "decisions");
  for (const one of list) d.append(el("dt", "", one.about), el("dd", "", el("code", "", one.value.startsWith("sha256:") ? one.value.slice(7, 19) : one.value), " ", el("span", "why", one.why)));
  return d;
}
