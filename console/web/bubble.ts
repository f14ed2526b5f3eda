// One message of the transcript.
import { Activity, Attachment } from "./directline";
import { renderCard } from "./card";
import { Texts } from "./texts";

const cardType = "application/vnd.microsoft.card.adaptive";

export interface Context {
  readonly locale: string;
  readonly texts: Texts;
  choose(title: string, data: unknown): void; // a card's button was pressed
}

export function bubble(a: Activity, mine: boolean, c: Context): HTMLLIElement {
  const item = document.createElement("li");
  item.className = mine ? "mine" : "theirs";
  const who = document.createElement("span");
  who.className = "who";
  who.textContent = mine ? c.texts.you : c.texts.bot;
  item.append(who);
  const words = a.text ?? (mine ? chosen(a, c) : "");
  if (words) {
    const p = document.createElement("p");
    p.dir = "auto";
    p.textContent = words;
    item.append(p);
  }
  for (const attachment of a.attachments ?? []) item.append(attached(attachment, c));
  const delivery = document.createElement("span");
  delivery.className = "delivery";
  delivery.append(clock(c.locale, a.timestamp));
  item.append(delivery);
  return item;
}

// clock shows when a message was stored.
export function clock(locale: string, timestamp?: string): HTMLTimeElement {
  const time = document.createElement("time");
  const at = timestamp ? new Date(timestamp) : new Date();
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString(locale);
  time.textContent = at.toLocaleTimeString(locale, { timeStyle: "short" });
  return time;
}

// chosen words a card's answer that carries no text.
function chosen(a: Activity, c: Context): string {
  return a.channelData?.title || (a.value ? c.texts.chosen : "");
}

function attached(a: Attachment, c: Context): HTMLElement {
  const box = document.createElement("div");
  if (a.contentType === cardType) {
    box.className = "card";
    try {
      box.append(renderCard(a.content, c.locale, c.choose));
    } catch {
      box.textContent = c.texts.cardBroken;
    }
    return box;
  }
  box.className = "file";
  const name = a.name ?? c.texts.attachment;
  if (a.contentType.startsWith("image/") && a.contentUrl) {
    const image = document.createElement("img");
    image.src = a.contentUrl;
    image.alt = name;
    box.append(image);
  } else if (/^https?:/.test(a.contentUrl ?? "")) {
    const link = document.createElement("a");
    link.href = a.contentUrl ?? "";
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = name;
    box.append(link);
  } else {
    box.textContent = name;
  }
  return box;
}
