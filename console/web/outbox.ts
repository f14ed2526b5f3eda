// What the user said and the server does not have yet: sent one after the other, in order, and
// again until the server has it.
import { Activity, Refused } from "./directline";

export interface Waiting {
  readonly activity: Activity;
  refused(): void;
}

export class Outbox {
  private waiting: Waiting[] = [];
  private busy = false;
  private timer = 0;

  constructor(private readonly post: (a: Activity) => Promise<void>) {}

  add(w: Waiting): void {
    this.waiting.push(w);
    void this.flush();
  }

  clear(): void {
    this.waiting = [];
  }

  // flush sends what waits. What the server refuses is given back; anything else is tried again.
  async flush(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      try {
        await this.post(next.activity);
      } catch (e) {
        if (!(e instanceof Refused)) {
          this.timer = window.setTimeout(() => void this.flush(), 2000);
          break;
        }
        next.refused();
      }
      if (this.waiting[0] === next) this.waiting.shift();
    }
    this.busy = false;
  }
}
