// The JavaScript guest of the measurements: bench:guest/calls@1.0.0.
import { tick } from "bench:guest/host@1.0.0";

export const calls = {
  noop() {},
  echo(b) {
    return b;
  },
  hostcalls(n) {
    for (let i = 0; i < n; i++) tick(i);
  },
};
