// The component of invoke_qjs_noop: what one call costs that does nothing.
import { component, op } from "@greentic/component";

export default component({ name: "bench.noop", version: "0.1.0", operations: { noop: op({ run: () => null }) } });
