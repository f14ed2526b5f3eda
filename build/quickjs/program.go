package quickjs

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/wit"
)

// Version is that of the engine.
const Version = "0.17.0"

//go:embed engine/quickjs.wasm
var engine []byte

//go:embed kernel.js
var kernel string

// MaxSource is how many bytes of sources a component may have.
const MaxSource = 16 << 20

// Program is what a component is made of.
type Program struct {
	Entry   string            // the name of the module whose exports are the component's
	Modules map[string]string // sources of ES modules by name; names appear in stack traces
	// Links says what a specifier in a module means: the module's name, then the specifier. The
	// name of an imported interface means itself everywhere.
	Links map[string]map[string]string

	Imports, Exports []*wit.Interface
	// Probe makes every exported function, which must give a string, give a JSON object with
	// "failure" or "missing" when the modules could not be run, instead of a trap.
	Probe bool
}

// system is what every component imports: the time and random numbers.
const system = `package wasi:clocks@0.2.0;
interface wall-clock {
  record datetime { seconds: u64, nanoseconds: u32 }
  now: func() -> datetime;
}
`

const chance = `package wasi:random@0.2.0;
interface random { get-random-u64: func() -> u64; }
`

// Componentize makes the component of a program. Errors are Invalid for sources that cannot be
// carried, Exhausted past MaxSource, Unsupported for types of the interfaces.
func Componentize(p Program) ([]byte, error) {
	set, err := wit.Parse(map[string]string{"clocks.wit": system, "random.wit": chance})
	if err != nil {
		return nil, fault.Wrap("quickjs", err)
	}
	clock, random := set.Interface("wasi:clocks/wall-clock@0.2.0"), set.Interface("wasi:random/random@0.2.0")
	script, err := p.script()
	if err != nil {
		return nil, err
	}
	return assemble(script, append([]*wit.Interface{clock, random}, p.Imports...), p.Exports), nil
}

// script is the source that the glue evaluates: a function that gives the dispatcher.
func (p Program) script() (string, error) {
	size := 0
	for name, source := range p.Modules {
		if strings.ContainsRune(source, 0) || strings.ContainsRune(name, 0) {
			return "", fault.Newf(fault.Invalid, "quickjs "+name, "a source with a zero byte")
		}
		size += len(source)
	}
	if size > MaxSource {
		return "", fault.Newf(fault.Exhausted, "quickjs", "%d bytes of sources, at most %d fit", size, MaxSource)
	}
	b := &binder{known: map[*binary.Type]int{}, views: map[*binary.Type]int{}, probe: p.Probe}
	n := 0
	for _, i := range p.Imports {
		b.imported(i, n)
		n += len(i.Funcs)
	}
	for _, i := range p.Exports {
		b.exported(i)
	}
	if b.err != nil {
		return "", b.err
	}
	return fmt.Sprintf("\"use strict\";\n(function (memory, slots, makeText, holdText, dropText, alloc, random, ...host) {\n%s\nconst offered = {};\n%s\nfunction dispatch(op) {\nswitch (op) {\n"+
		"case %d: return lasting(resolve(cstring(u32[S]), cstring(u32[S + 2])));\ncase %d: return lasting(load(cstring(u32[S])));\ncase %d: return finish();\n"+
		"%s}\n}\nlet sources = %s, links = %s;\nreturn begin(%s, %s);\n})",
		kernel, b.out.String(), askResolve, askLoad, askFinish, b.dispatch.String(), quoted(p.Modules), quoted(p.links()), quoted(p.Entry), quoted(b.names)), nil
}

func (p Program) links() map[string]map[string]string {
	all := map[string]map[string]string{"kernel": {p.Entry: p.Entry}}
	for base, to := range p.Links {
		all[base] = to
	}
	return all
}

// Failure is why modules could not be run, as a probe tells it.
type Failure struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Stack   string `json:"stack"`
}

// Missing is an import that no link leads anywhere.
type Missing struct {
	Base      string `json:"base"`
	Specifier string `json:"specifier"`
}

// Probed reads what a function of a probe gave: nothing is wrong when both are empty.
func Probed(answer string) (*Failure, []Missing, error) {
	var said struct {
		Failure *Failure  `json:"failure"`
		Missing []Missing `json:"missing"`
	}
	if err := json.Unmarshal([]byte(answer), &said); err != nil {
		return nil, nil, fault.As(fault.Internal, "quickjs probe", err)
	}
	return said.Failure, said.Missing, nil
}
