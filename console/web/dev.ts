// The panel of greentic dev beside the chat: how the folder stands, and each turn as it happens.
import { listen } from "./stream";
import { clock, copier, Decision, decisions, el, place, Turn, turnItem } from "./trace";

interface Problem {
  severity: string;
  message: string;
  file?: string;
  line?: number;
  col?: number;
  excerpt?: string;
  fix?: string;
}

interface State {
  phase: "building" | "ready" | "broken";
  pack?: string;
  version?: string;
  release?: string;
  changed?: string[];
  took_ms: number;
  fixed?: boolean;
  problems: Problem[];
}

interface Event {
  at: string;
  state?: State;
  turn?: { session: string; turn: string };
  follow?: { session: string; node: string; flow: string; became: string };
}

const root = document.documentElement;
const find = (id: string) => document.getElementById(id)!;
const line = find("dev-state");
const problems = find("dev-problems");
const turns = find("dev-turns");
const empty = find("dev-empty");

// The token comes with the address that the terminal shows, and stays with the tab.
const slot = "greentic.dev.token";
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem(slot, given);
  history.replaceState(null, "", location.pathname + location.search);
}
const token = given ?? sessionStorage.getItem(slot) ?? "";

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(15000) });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as T;
}

// kept is what the chat beside keeps of its conversation, in the same storage.
function kept(): { conversation?: string; user?: string } {
  try {
    return (JSON.parse(localStorage.getItem(`greentic.chat.${root.dataset.tenant ?? ""}`) ?? "null") as { conversation: string; user: string } | null) ?? {};
  } catch {
    return {};
  }
}

function ours(session: string): boolean {
  const { conversation } = kept();
  return !!conversation && session.includes(`:${conversation}:`);
}

let late = 0;
function show(s: State): void {
  clearTimeout(late);
  if (s.phase === "building") { // most saves are served before a word of it could be read
    late = window.setTimeout(() => say("building", `Working on ${(s.changed ?? []).slice(0, 2).join(", ") || "the folder"}`), 300);
    return;
  }
  const errors = s.problems.filter((p) => p.severity === "error").length;
  const stays = s.pack ? "the last good version stays" : "nothing is served yet";
  const what = `${s.pack ?? ""} ${s.version ?? ""} · ${(s.release ?? "").slice(7, 19)}`;
  if (s.phase === "broken") say("broken", `${errors} ${errors === 1 ? "error" : "errors"}; ${stays}`);
  else say("ready", `${s.fixed ? "Fixed: " : ""}${what}${s.changed?.length ? ` · ${s.changed[0]} in ${s.took_ms} ms` : ""}`);
  const list = s.problems.slice(0, 20).map(problem);
  if (s.problems.length > 20) list.push(el("li", "note", `and ${s.problems.length - 20} more; flow check lists all`));
  problems.replaceChildren(...list);
  problems.hidden = list.length === 0;
}

function say(phase: string, words: string): void {
  line.dataset.phase = phase;
  line.textContent = words;
}

function problem(p: Problem): HTMLLIElement {
  const item = el("li", p.severity, el("strong", "", p.severity === "error" ? "Error" : "Warning"), " ");
  if (p.file) item.append(copier(place(p.file, p.line, p.col), place(p.file, p.line, p.col), "the place"), " ");
  item.append(p.message);
  if (p.excerpt) {
    const number = String(p.line ?? "");
    const caret = p.col ? `\n${" ".repeat(number.length + 3 + p.col - 1)}^` : "";
    const pre = el("pre", "", `${number} | ${p.excerpt}${caret}`);
    pre.tabIndex = 0;
    pre.setAttribute("aria-label", `Line ${number}`);
    item.append(pre);
  }
  if (p.fix) item.append(el("p", "fix", `Fix: ${p.fix}`));
  return item;
}

const most = 100;
function add(item: HTMLLIElement): void {
  empty.hidden = true;
  turns.prepend(item);
  while (turns.childElementCount > most) turns.lastElementChild?.remove();
}

// known are the turns that are shown, so that one that is told while history loads is shown once.
const known = new Set<string>();
let loading: Promise<void> = Promise.resolve();

function turn(id: string, open: boolean): void {
  if (known.has(id)) return;
  known.add(id);
  loading = loading.then(async () => { // one after the other: in the order they happened
    const t = await get<Turn>(`/v1/turns/${encodeURIComponent(id)}`);
    const curl = `curl -H "Authorization: Bearer ${token}" ${location.origin}/v1/turns/${id}`;
    const item = turnItem(t, !ours(t.trigger.key), curl, (into) => void fill(into, id));
    if (open) {
      for (const other of turns.querySelectorAll<HTMLDetailsElement>("details.turn[open]")) if (!other.contains(document.activeElement)) other.open = false;
    }
    add(item);
    if (open) item.querySelector("details")!.open = true;
  }).catch(() => void known.delete(id));
}

async function fill(into: HTMLElement, id: string): Promise<void> {
  const why = await get<{ decisions: Decision[] }>(`/v1/turns/${encodeURIComponent(id)}/why`);
  into.append(decisions(why.decisions), await graph(id, into));
}

// graph draws the flow with the path of the turn; a node leads to its steps below.
async function graph(id: string, about: HTMLElement): Promise<HTMLElement> {
  const box = el("div", "graph");
  const answer = await fetch(`/v1/turns/${encodeURIComponent(id)}/graph?bare`, { headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) return box; // of a version that is gone
  const svg = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
  svg.setAttribute("role", "group"); // its nodes can be pressed
  box.append(document.importNode(svg, true));
  box.tabIndex = 0;
  box.setAttribute("aria-label", "The flow and the path taken");
  box.addEventListener("click", (e) => {
    const node = (e.target as Element).closest("a")?.getAttribute("href")?.replace("#node-", "");
    if (node === undefined) return;
    e.preventDefault();
    const steps = [...(about.parentElement?.querySelectorAll<HTMLDetailsElement>("details.step") ?? [])].filter((s) => s.dataset.node === node);
    for (const s of steps) s.open = true;
    steps[0]?.querySelector("summary")?.focus();
    steps[0]?.scrollIntoView({ block: "nearest" });
  });
  requestAnimationFrame(() => { // the path is in view, also of a flow that is wider than the panel
    const first = box.querySelector(".node:is(.done, .waiting, .failed)")?.getBoundingClientRect();
    if (!first) return;
    const seen = box.getBoundingClientRect();
    box.scrollLeft += first.left - seen.left - 16;
    box.scrollTop += first.top + first.height / 2 - seen.top - seen.height / 2;
  });
  return box;
}

// history shows the last turns of the conversation beside.
async function past(): Promise<void> {
  const { conversation, user } = kept();
  if (!conversation || !user) return;
  const key = `${root.dataset.tenant}:webchat:${conversation}:${user}`;
  const page = await get<{ turns: { turn: string }[] }>(`/v1/turns?limit=1000&session=${encodeURIComponent(key)}`);
  const last = page.turns.slice(-20);
  last.forEach((t, i) => turn(t.turn, i === last.length - 1));
}

function happened(e: Event): void {
  if (e.state) show(e.state);
  if (e.turn) turn(e.turn.turn, ours(e.turn.session));
  if (!e.follow || !ours(e.follow.session)) return;
  const gone = e.follow.became === "ended";
  const words = gone ? `A new version: ${e.follow.node} of ${e.follow.flow}, where the conversation waited, is gone. It begins anew.`
    : `A new version: the conversation goes on at ${e.follow.node}.`;
  loading = loading.then(() => add(el("li", gone ? "event odd" : "event", words, " ", clock(e.at))));
  if (gone) document.dispatchEvent(new CustomEvent("greentic:anew", { detail: words }));
}

// On a narrow screen one of both is seen.
function view(name: "chat" | "trace"): void {
  root.dataset.view = name;
  for (const n of ["chat", "trace"]) find(`view-${n}`).setAttribute("aria-pressed", String(n === name));
}
for (const n of ["chat", "trace"] as const) find(`view-${n}`).addEventListener("click", () => view(n));
view("chat");

// j and k go through the turns.
find("dev-panel").addEventListener("keydown", (e) => {
  if (e.key !== "j" && e.key !== "k" || e.ctrlKey || e.metaKey || e.altKey) return;
  const all = [...turns.querySelectorAll<HTMLElement>("details.turn > summary")];
  const at = all.findIndex((s) => s.parentElement!.contains(document.activeElement));
  all[Math.min(Math.max(at + (e.key === "j" ? 1 : -1), 0), all.length - 1)]?.focus();
  e.preventDefault();
});

if (token) {
  void past().catch(() => undefined);
  void listen("/v1/dev/events", token, {
    event: (_, data) => happened(JSON.parse(data) as Event),
    link: (l) => {
      if (l === "offline") say("offline", "greentic dev is not running; trying again");
      if (l === "refused") say("offline", "greentic dev was started anew: open the address it printed");
    },
  });
} else {
  say("offline", "No token: open the address that greentic dev printed");
}
