package core

import "sort"

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
	type named struct {
		index uint32
		name  string
	}
	var list []named
	for range r.count("names", w.m.limits.Functions) {
		list = append(list, named{w.ref(r), r.name()})
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].index < list[j].index })
	out := appendU32(nil, uint32(len(list)))
	for _, n := range list {
		out = appendName(appendU32(out, n.index), n.name)
	}
	return out
}
