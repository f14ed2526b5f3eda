// Server-sent events over fetch, which unlike EventSource can carry a token.

export interface Listener {
  event(name: string, data: string): void;
  link(state: "online" | "offline" | "refused"): void;
}

// listen stays connected until the token is refused.
export async function listen(url: string, token: string, l: Listener): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" });
      if (answer.status === 401 || answer.status === 404) {
        l.link("refused");
        return;
      }
      if (answer.ok && answer.body) {
        attempt = 0;
        l.link("online");
        await read(answer.body, l);
      }
    } catch {
      // whatever it was, waiting and trying again is the answer
    }
    l.link("offline");
    await new Promise((done) => setTimeout(done, Math.min(500 * 2 ** attempt, 5000)));
  }
}

// read splits a stream into events: lines of a name and data, ended by an empty one.
async function read(body: ReadableStream<Uint8Array>, l: Listener): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      let name = "message";
      let data = "";
      for (const line of text.slice(0, end).split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        if (line.startsWith("data: ")) data += line.slice(6);
      }
      text = text.slice(end + 2);
      if (data) l.event(name, data);
    }
  }
}
