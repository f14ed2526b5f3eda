// setGCPercent has its body in the runtime.
