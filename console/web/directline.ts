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
  channelData?: { clientActivityID?: string };
  attachments?: Attachment[];
}

export type Link = "connecting" | "online" | "offline";

interface Kept {
  conversation: string;
  token: string;
  user: string;
}

interface Session {
  conversationId: string;
  token: string;
  streamUrl?: string;
}

export interface Events {
  activity(a: Activity): void;
  link(state: Link): void;
  restarted(): void; // the kept conversation is gone; a new one began
}

export class DirectLine {
  private kept: Kept | null;
  private watermark = "";
  private socket: WebSocket | null = null;
  private attempt = 0;
  private closed = false;

  constructor(
    private readonly base: string,
    private readonly storageKey: string,
    private readonly events: Events,
  ) {
    this.kept = readKept(storageKey);
  }

  get user(): string {
    return this.kept?.user ?? "";
  }

  // open joins the kept conversation or starts one; true when it is new.
  async open(): Promise<boolean> {
    this.events.link("connecting");
    if (this.kept) {
      const joined = await this.call("GET", `/conversations/${this.kept.conversation}`).catch((e) => {
        if (e instanceof Refused) return null;
        throw e;
      });
      if (joined) {
        this.adopt(joined, this.kept.user);
        return false;
      }
      this.kept = null;
      this.watermark = "";
      this.events.restarted();
    }
    const user = "web-" + crypto.randomUUID();
    const token = await this.call("POST", "/tokens/generate", { user: { id: user } });
    this.kept = { conversation: token.conversationId, token: token.token, user };
    this.adopt(await this.call("POST", "/conversations"), user);
    return true;
  }

  // run opens and stays connected until close.
  async run(onNew: () => void): Promise<void> {
    while (!this.closed) {
      try {
        if (await this.open()) onNew();
        await this.listen();
      } catch {
        // fall through to waiting
      }
      if (this.closed) return;
      this.events.link("offline");
      const wait = Math.min(500 * 2 ** this.attempt++, 15000);
      await new Promise((r) => setTimeout(r, wait * (0.5 + Math.random() / 2)));
    }
  }

  async post(a: Activity): Promise<string> {
    if (!this.kept) throw new Error("not connected");
    const from = { id: this.kept.user, role: "user" };
    const answer = await this.call("POST", `/conversations/${this.kept.conversation}/activities`, { ...a, from });
    return (answer as unknown as { id: string }).id;
  }

  forget(): void {
    this.kept = null;
    this.watermark = "";
    localStorage.removeItem(this.storageKey);
    this.attempt = 0;
    this.socket?.close();
  }

  close(): void {
    this.closed = true;
    this.socket?.close();
  }

  private streamUrl = "";

  private adopt(s: Session, user: string): void {
    this.kept = { conversation: s.conversationId, token: s.token, user };
    localStorage.setItem(this.storageKey, JSON.stringify(this.kept));
    const url = new URL(s.streamUrl ?? "");
    url.searchParams.set("watermark", this.watermark);
    this.streamUrl = url.toString();
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
        this.watermark = set.watermark;
        for (const a of set.activities) this.events.activity(a);
      };
      socket.onclose = () => done();
    });
  }

  private async call(method: string, path: string, body?: unknown): Promise<Session> {
    const headers: Record<string, string> = {};
    if (this.kept) headers.Authorization = `Bearer ${this.kept.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await fetch(this.base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (response.ok) return (await response.json()) as Session;
    const detail = await response.json().catch(() => ({}));
    const message = detail?.error?.message ?? response.statusText;
    if (response.status >= 400 && response.status < 500) throw new Refused(message);
    throw new Error(message);
  }
}

// Refused is an answer that repeating will not change.
export class Refused extends Error {}

function readKept(key: string): Kept | null {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
    return kept && kept.conversation && kept.token && kept.user ? kept : null;
  } catch {
    return null;
  }
}
