package binary

// asyncBuiltins names the canonical definitions that belong to the async and threads
// proposals, all of which are refused.
var asyncBuiltins = map[byte]string{
	0x05: "task.cancel", 0x06: "subtask.cancel", 0x07: "resource.drop async", 0x08: "backpressure.set",
	0x09: "task.return", 0x0a: "context.get", 0x0b: "context.set", 0x0c: "thread.yield",
	0x0d: "subtask.drop", 0x0e: "stream.new", 0x0f: "stream.read", 0x10: "stream.write",
	0x11: "stream.cancel-read", 0x12: "stream.cancel-write", 0x13: "stream.drop-readable",
	0x14: "stream.drop-writable", 0x15: "future.new", 0x16: "future.read", 0x17: "future.write",
	0x18: "future.cancel-read", 0x19: "future.cancel-write", 0x1a: "future.drop-readable",
	0x1b: "future.drop-writable", 0x1c: "error-context.new", 0x1d: "error-context.debug-message",
	0x1e: "error-context.drop", 0x1f: "waitable-set.new", 0x20: "waitable-set.wait",
	0x21: "waitable-set.poll", 0x22: "waitable-set.drop", 0x23: "waitable.join",
	0x24: "backpressure.inc", 0x25: "backpressure.dec", 0x26: "thread.index",
	0x27: "thread.new-indirect", 0x28: "thread.resume-later", 0x29: "thread.suspend",
	0x2a: "thread.suspend-then-resume", 0x2b: "thread.yield-then-resume",
	0x2c: "thread.suspend-then-promote", 0x2d: "thread.yield-then-promote",
	0x40: "thread.spawn-ref", 0x41: "thread.spawn-indirect", 0x42: "thread.available-parallelism",
}

func canon(r *reader) *Canon {
	c := &Canon{}
	op := r.byte()
	switch {
	case op <= 1:
		c.Op = CanonOp(op)
		if b := r.byte(); b != 0 {
			r.bad("canon function sort %#x", b)
		}
		c.Func = r.u32()
		c.options(r)
		if c.Op == CanonLift {
			c.Type = r.u32()
		} else if r.err == nil && c.PostReturn != nil {
			r.bad("canon lower with post-return")
		}
	case op <= 4:
		c.Op = CanonOp(op)
		c.Type = r.u32()
	default:
		if name, ok := asyncBuiltins[op]; ok {
			r.unsupported("canonical built-in " + name)
		} else if r.err == nil {
			r.bad("canonical definition %#x", op)
		}
	}
	return c
}

func (c *Canon) options(r *reader) {
	seen := map[string]bool{}
	once := func(what string) {
		if r.err == nil && seen[what] {
			r.bad("option %s given twice", what)
		}
		seen[what] = true
	}
	index := func(what string) *uint32 {
		once(what)
		v := r.u32()
		return &v
	}
	for n := r.count("options"); n > 0 && r.err == nil; n-- {
		switch b := r.byte(); b {
		case 0, 1, 2:
			once("string-encoding")
			c.Encoding = Encoding(b)
		case 3:
			c.Memory = index("memory")
		case 4:
			c.Realloc = index("realloc")
		case 5:
			c.PostReturn = index("post-return")
		case 6:
			r.unsupported("canonical option async")
		case 7:
			r.unsupported("canonical option callback")
		case 8:
			r.unsupported("canonical option core-type")
		case 9:
			r.unsupported("canonical option gc")
		default:
			r.bad("canonical option %#x", b)
		}
	}
	if r.err == nil && c.Realloc != nil && c.Memory == nil {
		r.bad("option realloc without memory")
	}
}
