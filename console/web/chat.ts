// The chat page: a transcript, a composer, one Direct Line conversation.
import { Activity, Attachment, DirectLine, Link } from "./directline";
import { renderCard } from "./card";
import { texts } from "./texts";

const cardType = "application/vnd.microsoft.card.adaptive";
const root = document.documentElement;
const locale = new URLSearchParams(location.search).get("locale") ?? root.dataset.locale ?? navigator.language;
const t = texts(locale);

function find<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
const log = find<HTMLOListElement>("log");
const form = find<HTMLFormElement>("composer");
const input = find<HTMLTextAreaElement>("text");
const state = find<HTMLElement>("state");
const typing = find<HTMLElement>("typing");
const fresh = find<HTMLButtonElement>("fresh");

root.lang = locale;
input.placeholder = t.placeholder;
input.setAttribute("aria-label", t.placeholder);
log.setAttribute("aria-label", t.log);
find("send").textContent = t.send;
fresh.textContent = t.fresh;
typing.textContent = t.typing;

// A message of ours that the server has not echoed yet, by its client id.
const pending = new Map<string, HTMLLIElement>();
const shown = new Set<string>();

const line = new DirectLine(root.dataset.base ?? "/v3/directline", `greentic.chat.${root.dataset.tenant ?? ""}`, {
  activity: receive,
  link: showLink,
  restarted: clear,
});

function showLink(l: Link): void {
  state.dataset.link = l;
  state.textContent = t[l];
}

function clear(): void {
  log.replaceChildren();
  pending.clear();
  shown.clear();
  typing.hidden = true;
}

function receive(a: Activity): void {
  if (a.id && shown.has(a.id)) return;
  if (a.id) shown.add(a.id);
  const mine = a.from?.role === "user" || a.from?.id === line.user;
  if (a.type === "typing" && !mine) {
    typing.hidden = false;
    return;
  }
  if (a.type !== "message") return;
  if (mine) {
    const id = a.channelData?.clientActivityID ?? "";
    const waiting = pending.get(id);
    if (waiting) {
      settle(waiting, a);
      pending.delete(id);
    } else {
      append(bubble(a, true));
    }
    return;
  }
  typing.hidden = true;
  append(bubble(a, false));
}

function settle(item: HTMLLIElement, a: Activity): void {
  item.classList.remove("sending", "failed");
  item.querySelector(".delivery")?.replaceChildren(clock(a.timestamp));
}

function clock(timestamp?: string): HTMLTimeElement {
  const time = document.createElement("time");
  const at = timestamp ? new Date(timestamp) : new Date();
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString(locale);
  time.textContent = at.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  return time;
}

function bubble(a: Activity, mine: boolean): HTMLLIElement {
  const item = document.createElement("li");
  item.className = mine ? "mine" : "theirs";
  const who = document.createElement("span");
  who.className = "who";
  who.textContent = mine ? t.you : t.bot;
  item.append(who);
  const words = a.text ?? (mine ? chosen(a) : "");
  if (words) {
    const p = document.createElement("p");
    p.textContent = words;
    item.append(p);
  }
  for (const attachment of a.attachments ?? []) item.append(attached(attachment));
  const delivery = document.createElement("span");
  delivery.className = "delivery";
  delivery.append(clock(a.timestamp));
  item.append(delivery);
  return item;
}

// chosen words a card's answer that carries no text.
function chosen(a: Activity): string {
  const title = (a.channelData as { title?: string } | undefined)?.title;
  return title || (a.value ? t.chosen : "");
}

function attached(a: Attachment): HTMLElement {
  const box = document.createElement("div");
  if (a.contentType === cardType) {
    box.className = "card";
    try {
      box.append(renderCard(a.content, locale, (title, data) => send({ type: "message", value: data, channelData: { title } as never }, title)));
    } catch {
      box.textContent = t.cardBroken;
    }
    return box;
  }
  box.className = "file";
  if (a.contentType.startsWith("image/") && a.contentUrl) {
    const image = document.createElement("img");
    image.src = a.contentUrl;
    image.alt = a.name ?? t.attachment;
    box.append(image);
  } else {
    box.textContent = a.name ?? t.attachment;
  }
  return box;
}

function append(item: HTMLLIElement): void {
  const end = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(item);
  if (end || item.classList.contains("mine")) log.scrollTop = log.scrollHeight;
}

async function send(a: Activity, words: string): Promise<void> {
  const id = crypto.randomUUID();
  const activity: Activity = { ...a, locale, channelData: { ...a.channelData, clientActivityID: id } };
  const item = bubble({ ...activity, text: words }, true);
  item.classList.add("sending");
  item.querySelector(".delivery")!.textContent = t.sending;
  pending.set(id, item);
  append(item);
  input.focus();
  await deliver(item, activity);
}

async function deliver(item: HTMLLIElement, activity: Activity): Promise<void> {
  try {
    await line.post(activity);
    if (item.classList.contains("sending")) typing.hidden = false;
  } catch {
    const note = item.querySelector(".delivery")!;
    item.classList.replace("sending", "failed");
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = t.retry;
    again.onclick = () => {
      item.classList.replace("failed", "sending");
      note.textContent = t.sending;
      void deliver(item, activity); // the same client id: a message that did arrive is not doubled
    };
    note.replaceChildren(t.failed + " · ", again);
  }
}

form.addEventListener("submit", (e) => {
  e.preventDefault();
  const words = input.value.trim();
  if (!words) return;
  input.value = "";
  resize();
  void send({ type: "message", text: words }, words);
});

input.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    form.requestSubmit();
  }
});

function resize(): void {
  input.style.height = "auto";
  input.style.height = Math.min(input.scrollHeight, 160) + "px";
}
input.addEventListener("input", resize);

fresh.addEventListener("click", () => {
  clear();
  line.forget();
  input.focus();
});

void line.run(() => {
  typing.hidden = false;
  void line.post({ type: "event", name: "startConversation", locale, channelData: { clientActivityID: crypto.randomUUID() } }).catch(() => undefined);
});
