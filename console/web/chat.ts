// The chat page: a transcript, a composer, one Direct Line conversation.
import { Activity, DirectLine, Link, newId } from "./directline";
import { bubble, clock, Context } from "./bubble";
import { Outbox } from "./outbox";
import { language, texts } from "./texts";

const root = document.documentElement;
const locale = language(new URLSearchParams(location.search).get("locale") ?? root.dataset.locale ?? navigator.language);
const t = texts(locale);

function find<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
const log = find<HTMLElement>("log");
const messages = find<HTMLOListElement>("messages");
const form = find<HTMLFormElement>("composer");
const input = find<HTMLTextAreaElement>("text");
const state = find<HTMLElement>("state");
const typing = find<HTMLElement>("typing");
const fresh = find<HTMLButtonElement>("fresh");

root.lang = t.language;
log.lang = locale;
log.setAttribute("aria-label", t.log);
form.setAttribute("aria-label", t.placeholder);
input.placeholder = t.placeholder;
input.setAttribute("aria-label", t.placeholder);
find("send").textContent = t.send;
fresh.textContent = t.fresh;
typing.textContent = t.typing;

// A message of ours that the transcript does not have yet, by its client id.
const pending = new Map<string, HTMLLIElement>();
const shown = new Set<string>();
const context: Context = { locale, texts: t, choose: (title, data) => say({ type: "message", value: data, channelData: { title } }, title) };

const line = new DirectLine(root.dataset.base ?? "/v3/directline", `greentic.chat.${root.dataset.tenant ?? ""}`, locale, {
  activity: receive,
  link: showLink,
  starting: expectAnswer,
  restarted: clear,
});
const outbox = new Outbox((a) => line.post(a));

function showLink(l: Link): void {
  state.dataset.link = l;
  state.textContent = t[l];
  if (l === "online") void outbox.flush();
}

function clear(): void {
  messages.replaceChildren();
  outbox.clear();
  pending.clear();
  shown.clear();
  answered();
}

// The sign that an answer is being written comes late enough not to flicker, and goes by itself.
let waiting = 0;
function expectAnswer(): void {
  clearTimeout(waiting);
  waiting = window.setTimeout(() => {
    typing.hidden = false;
    waiting = window.setTimeout(answered, 30000);
  }, 300);
}

function answered(): void {
  clearTimeout(waiting);
  typing.hidden = true;
}

function receive(a: Activity, replayed: boolean): void {
  if (a.id && shown.has(a.id)) return;
  if (a.id) shown.add(a.id);
  const mine = a.from?.role === "user" || a.from?.id === line.user;
  if (a.type === "typing" && !mine) expectAnswer();
  if (a.type !== "message") return;
  if (!mine) {
    answered();
    append(bubble(a, false, context), replayed);
    return;
  }
  const id = a.channelData?.clientActivityID ?? "";
  const item = pending.get(id);
  if (!item) {
    append(bubble(a, true, context), replayed);
    return;
  }
  pending.delete(id);
  expectAnswer();
  item.classList.remove("sending", "failed");
  item.querySelector(".delivery")?.replaceChildren(clock(locale, a.timestamp));
}

// The end of the transcript stays in view until the user scrolls away from it, also when a
// picture arrives late or a keyboard takes room.
let following = true;
log.addEventListener("scroll", () => (following = log.scrollHeight - log.scrollTop - log.clientHeight < 80));
const follow = new ResizeObserver(() => {
  if (following) log.scrollTop = log.scrollHeight;
});
follow.observe(log);
follow.observe(messages);

function append(item: HTMLLIElement, replayed = false): void {
  messages.append(item);
  if (item.classList.contains("mine")) following = true;
  if (following && !replayed && item.offsetHeight > log.clientHeight) {
    following = false; // a long message is read from its beginning
    item.scrollIntoView({ block: "start" });
  }
}

function say(a: Activity, words: string): void {
  const id = newId();
  const activity: Activity = { ...a, channelData: { ...a.channelData, clientActivityID: id } };
  const item = bubble({ ...activity, text: words }, true, context);
  const note = item.querySelector<HTMLElement>(".delivery")!;
  const send = () => {
    item.className = "mine sending";
    note.textContent = t.sending;
    outbox.add({ activity, refused });
  };
  const refused = () => {
    item.className = "mine failed";
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = t.retry;
    again.onclick = send; // the same client id: a message that did arrive is not doubled
    note.replaceChildren(t.failed + " · ", again);
  };
  pending.set(id, item);
  append(item);
  send();
  // On a touch screen the focus would raise the keyboard over the answer.
  if (!matchMedia("(pointer: coarse)").matches || document.activeElement === input) input.focus();
}

form.addEventListener("submit", (e) => {
  e.preventDefault();
  const words = input.value.trim();
  if (!words) return;
  input.value = "";
  resize();
  input.focus();
  say({ type: "message", text: words }, words);
});

input.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    form.requestSubmit();
  }
});

function resize(): void {
  input.style.height = "auto";
  input.style.height = Math.min(input.scrollHeight + input.offsetHeight - input.clientHeight, 160) + "px";
}
input.addEventListener("input", resize);

fresh.addEventListener("click", () => {
  clear();
  line.forget();
  input.focus();
});

// Beside greentic dev: where the conversation waited is gone, so it is begun anew.
document.addEventListener("greentic:anew", (e) => {
  const note = document.createElement("li");
  note.className = "note-anew";
  note.textContent = String((e as CustomEvent).detail);
  append(note);
  line.begin();
});

void line.run();
