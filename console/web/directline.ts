// A Direct Line 3.0 client: one conversation, kept over reloads and reconnects.

export interface Attachment {
  contentType: string;
  content?: unknown;
  contentUrl?: string;
  name?: string;
}

export interface Activity {
  type: string;
  id?: string;
  timestamp?: string;
  from?: { id: string; name?: string; role?: string };
  name?: string;
  text?: string;
  locale?: string;
  value?: unknown;
  channelData?: { clientActivityID?: string; title?: string };
  attachments?: Attachment[];
}

export type Link = "connecting" | "online" | "offline";

interface Kept {
  conversation: string;
  token: string;
  user: string;
  started?: boolean; // the bot was asked to begin
}

interface Session {
  conversationId: string;
  token: string;
  expires_in: number;
  streamUrl?: string;
}

export interface Events {
  activity(a: Activity, replayed: boolean): void; // replayed: it is of before this page
  link(state: Link): void;
  starting(): void; // the bot is asked to begin
  restarted(): void; // the kept conversation is gone; a new one begins
}

// Refused is an answer that repeating will not change.
export class Refused extends Error {}

// newId is unique; unlike randomUUID it also works on pages without TLS.
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export class DirectLine {
  private kept: Kept | null;
  private watermark = "";
  private streamUrl = "";
  private socket: WebSocket | null = null;
  private attempt = 0;
  private left = false; // the user asked for a new conversation
  private refreshing = 0;

  constructor(
    private readonly base: string,
    private readonly storageKey: string,
    private readonly locale: string,
    private readonly events: Events,
  ) {
    this.kept = readKept(storageKey);
  }

  get user(): string {
    return this.kept?.user ?? "";
  }

  // run joins the kept conversation or starts one, and stays connected.
  async run(): Promise<never> {
    this.events.link("connecting");
    for (;;) {
      this.left = false;
      try {
        await this.open();
        await this.listen();
      } catch {
        // whatever it was, waiting and trying again is the answer
      }
      if (this.left) continue;
      this.events.link("offline");
      await this.pause(Math.min(500 * 2 ** this.attempt++, 15000) * (0.5 + Math.random() / 2));
    }
  }

  // post sends an activity of the user. Repeating it under the same clientActivityID is harmless.
  async post(a: Activity): Promise<void> {
    if (!this.kept) throw new Error("not connected");
    await this.call("POST", `/conversations/${this.kept.conversation}/activities`, { ...a, locale: this.locale, from: { id: this.kept.user, role: "user" } });
  }

  // begin asks the bot to begin again in this conversation.
  begin(): void {
    this.events.starting();
    void this.post({ type: "event", name: "startConversation", channelData: { clientActivityID: "start-" + newId() } }).catch(() => undefined);
  }

  // forget leaves the conversation; a new one begins.
  forget(): void {
    this.left = true;
    this.kept = null;
    this.watermark = "";
    this.attempt = 0;
    this.save();
    this.socket?.close();
  }

  private async open(): Promise<void> {
    if (this.kept) {
      try {
        this.adopt(await this.call("GET", `/conversations/${this.kept.conversation}`));
      } catch (e) {
        if (!(e instanceof Refused)) throw e;
        this.forget();
        this.events.restarted();
      }
    }
    if (!this.kept) {
      const user = "web-" + newId();
      const token = await this.call("POST", "/tokens/generate", { user: { id: user } });
      this.kept = { conversation: token.conversationId, token: token.token, user };
      this.adopt(await this.call("POST", "/conversations"));
    }
    if (!this.kept.started) {
      this.events.starting();
      await this.post({ type: "event", name: "startConversation", channelData: { clientActivityID: "start-" + this.kept.conversation } });
      this.kept.started = true;
      this.save();
    }
  }

  private adopt(s: Session): void {
    if (!this.kept) throw new Error("the conversation was left");
    this.kept.token = s.token;
    this.save();
    clearTimeout(this.refreshing);
    this.refreshing = window.setTimeout(() => void this.refresh(), s.expires_in * 500);
    if (!s.streamUrl) return;
    const url = new URL(s.streamUrl, location.href); // by the way this page came, whatever a proxy told the server
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.host = location.host;
    url.searchParams.set("watermark", this.watermark);
    this.streamUrl = url.toString();
  }

  // refresh renews the token at half its life; a page that slept too long begins anew.
  private async refresh(): Promise<void> {
    try {
      this.adopt(await this.call("POST", "/tokens/refresh"));
    } catch {
      this.socket?.close();
    }
  }

  private listen(): Promise<void> {
    return new Promise((done) => {
      const socket = new WebSocket(this.streamUrl);
      this.socket = socket;
      socket.onopen = () => {
        this.attempt = 0;
        this.events.link("online");
      };
      socket.onmessage = (m) => {
        if (!m.data) return;
        const set = JSON.parse(m.data as string) as { activities: Activity[]; watermark: string };
        const replayed = this.watermark === "";
        this.watermark = set.watermark;
        for (const a of set.activities) this.events.activity(a, replayed);
      };
      socket.onclose = () => done();
    });
  }

  // pause waits, but not longer than the network is away.
  private pause(milliseconds: number): Promise<void> {
    return new Promise((done) => {
      const end = () => {
        clearTimeout(timer);
        removeEventListener("online", end);
        done();
      };
      const timer = setTimeout(end, milliseconds);
      addEventListener("online", end);
    });
  }

  private async call(method: string, path: string, body?: unknown): Promise<Session> {
    const headers: Record<string, string> = {};
    if (this.kept) headers.Authorization = `Bearer ${this.kept.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await fetch(this.base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(15000) });
    if (response.ok) return (await response.json()) as Session;
    const detail = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
    const message = detail?.error?.message ?? response.statusText;
    if (response.status < 500 && response.status !== 408 && response.status !== 429) throw new Refused(message);
    throw new Error(message);
  }

  private save(): void {
    try {
      if (this.kept) localStorage.setItem(this.storageKey, JSON.stringify(this.kept));
      else localStorage.removeItem(this.storageKey);
    } catch {
      // without storage the conversation lasts as long as the page
    }
  }
}

function readKept(key: string): Kept | null {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
    return kept && kept.conversation && kept.token && kept.user ? kept : null;
  } catch {
    return null;
  }
}
