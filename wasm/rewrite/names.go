package rewrite

import "strings"

// names keeps the module name and the function names, with their new indexes: backtraces are
// made of them. A malformed section is dropped; it means nothing to execution.
func (w *rewriter) names(r *reader) (out []byte) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			out = nil
		default:
			panic(p)
		}
	}()
	out = appendName(nil, "name")
	for r.more() {
		id := r.byte()
		sub := r.sub(int(r.u32()))
		var body []byte
		switch id {
		case 0:
			body = appendName(nil, sub.name())
		case 1:
			body = w.functionNames(sub)
		default:
			continue
		}
		out = append(appendU32(append(out, id), uint32(len(body))), body...)
	}
	return out
}

func (w *rewriter) functionNames(r *reader) []byte {
	n := r.count("names", w.m.limits.Functions)
	out := appendU32(nil, uint32(n))
	for range n {
		out = appendU32(out, w.ref(r))
		out = appendName(out, shorten(r.name()))
	}
	return out
}

// longName is how many bytes of a function's name a backtrace shows; thirty frames may name it.
const longName = 512

func shorten(name string) string {
	if len(name) <= longName {
		return name
	}
	return strings.ToValidUTF8(name[:longName], "")
}
