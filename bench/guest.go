//go:build unix

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

//go:embed testdata/probe.wasm
var probe []byte

// What public and example guests export.
const (
	telegramSchema = "greentic:provider-schema-core/schema-core-api@1.0.0"
	benchCalls     = "bench:guest/calls@1.0.0"
)

const telegramSend = `{"v":1,"id":"1","tenant":{"env":"dev","tenant":"t","tenant_id":"t","attempt":0},
	"channel":"telegram","session_id":"s","to":[{"id":"42","kind":"chat"}],"text":"hi","attachments":[],
	"metadata":{},"config":{"public_base_url":"https://example.org","enabled":true}}`

// guests measures the component host by itself: generic lifting and lowering, handle tables,
// limits, and instances that are kept and put back into their first state.
type guests struct {
	engine *wasm.Engine
	list   []figure
}

func (g *guests) add(name string, value float64, unit string, bar *float64) {
	g.list = append(g.list, figure{Name: name, Value: value, Unit: unit, Bar: bar})
}

func componentHost(ctx context.Context) ([]figure, error) {
	engine, err := openEngine(ctx)
	if err != nil {
		return nil, err
	}
	defer engine.Close(ctx)
	g := &guests{engine: engine}
	for _, measure := range []func(context.Context) error{g.probe, g.killing, g.scripts, g.sdk, g.javascript, g.telegram, g.births} {
		if err = measure(ctx); err != nil {
			break
		}
	}
	return g.list, err
}

func openEngine(ctx context.Context) (*wasm.Engine, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return wasm.New(ctx, wasm.Options{CacheDir: filepath.Join(cache, "greentic", "code")})
}

// bind compiles code and binds it; the engine closes it.
func (g *guests) bind(ctx context.Context, code []byte, h *wasm.Hosts) (*wasm.Bound, error) {
	c, err := g.engine.Compile(ctx, code)
	if err != nil {
		return nil, err
	}
	return c.Bind(h)
}

func kept(iface, fn string, args ...any) wasm.Invocation {
	return wasm.Invocation{Interface: iface, Func: fn, Args: args, Owner: "tenant"}
}

// cost is the processor time of one invocation in microseconds.
func cost(ctx context.Context, b *wasm.Bound, inv wasm.Invocation) (float64, error) {
	return perOp(func() error { _, _, err := b.Invoke(ctx, inv); return err })
}

func ticker() *wasm.Interface {
	return &wasm.Interface{Quick: true, Funcs: map[string]wasm.HostFunc{
		"tick": func(_ context.Context, _ *wasm.Call, args []any) (any, error) { return args[0], nil },
	}}
}

// probe measures the border: restoring, calling the host, moving bytes.
func (g *guests) probe(ctx context.Context) error {
	h := &wasm.Hosts{}
	h.Add(ticker())
	b, err := g.bind(ctx, probe, h)
	if err != nil {
		return err
	}
	us, err := cost(ctx, b, kept("", "noop"))
	if err != nil {
		return err
	}
	g.add("invoke_noop", us, "us CPU, 2.5 MB of memory, nothing written", nil)
	if us, err = cost(ctx, b, kept("", "dirty", uint32(6))); err != nil {
		return err
	}
	g.add("restore_2500k", us, "us CPU, with a call that writes six pages", bar(10))
	if err := g.portable(ctx); err != nil {
		return err
	}
	const calls = 50_000
	if us, err = cost(ctx, b, kept("", "ticks", uint32(calls))); err != nil {
		return err
	}
	g.add("host_call", us*1000/calls, "ns CPU", bar(150))
	inv := kept("", "echo", make([]byte, 1<<20))
	if us, err = cost(ctx, b, inv); err != nil {
		return err
	}
	g.add("echo_1mib", us, "us CPU, restore included", bar(1500))
	return nil
}

// portable measures what restoring costs where memory cannot be mapped.
func (g *guests) portable(ctx context.Context) error {
	e, err := core.New(ctx, core.Options{Images: core.ByCopying})
	if err != nil {
		return err
	}
	defer e.Close(ctx)
	decoded, err := binary.Decode(probe, binary.Limits{})
	if err != nil {
		return err
	}
	plan, err := link.NewPlan(decoded, binary.Limits{})
	if err != nil {
		return err
	}
	program, err := link.Compile(ctx, e, plan)
	if err != nil {
		return err
	}
	defer program.Close(ctx)
	h := &wasm.Hosts{}
	h.Add(ticker())
	b, err := program.Bind(h)
	if err != nil {
		return err
	}
	r := link.Request{Func: "dirty", Args: []any{uint32(6)}, Owner: "tenant", Birth: wasi.Birth(wasi.Config{}),
		Limits: link.Limits{Memory: 64 << 20, Payload: 1 << 20, Depth: 1000}}
	us, err := perOp(func() error { _, _, err := b.Invoke(ctx, r); return err })
	if err == nil {
		g.add("restore_copied_2500k", us, "us CPU, the same where memory cannot be mapped", bar(120))
	}
	return err
}

// killing measures how late an endless loop ends, and how long the world stands still for the
// collector while it runs, compared with a loop of Go.
func (g *guests) killing(ctx context.Context) error {
	h := &wasm.Hosts{}
	h.Add(ticker())
	b, err := g.bind(ctx, probe, h)
	if err != nil {
		return err
	}
	const deadline = 30 * time.Millisecond
	var late, guest, plain []float64
	for range 15 {
		begin := time.Now()
		guest = append(guest, pauseBeside(ctx, deadline, func(ctx context.Context) { _, _, err = b.Invoke(ctx, kept("", "spin")) }))
		late = append(late, float64((time.Since(begin)-deadline).Microseconds())/1e3)
		if !fault.Is(err, fault.Timeout) {
			return fmt.Errorf("an endless loop ended with %v", err)
		}
		plain = append(plain, pauseBeside(ctx, deadline, func(ctx context.Context) {
			for ctx.Err() == nil {
			}
		}))
	}
	g.add("kill_latency", slices.Max(late), "ms after the deadline, the latest of 15", bar(10))
	g.add("gc_pause_spinning", median(guest), fmt.Sprintf("us a collection stops the world while a guest spins; beside a loop of Go %.0f", median(plain)), bar(1000))
	return nil
}

// pauseBeside is the longest pause of one collection, in microseconds, while f runs.
func pauseBeside(ctx context.Context, deadline time.Duration, f func(context.Context)) float64 {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { f(ctx) })
	before := pauses()
	runtime.GC()
	took := longest(before, pauses()) * 1e6
	wg.Wait()
	return took
}

// pauses is the histogram of how long the collector has stopped the world, stopping included.
func pauses() *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64Histogram()
}

// longest is the upper end of the last bucket that has grown, in seconds.
func longest(before, after *metrics.Float64Histogram) (most float64) {
	for i := range after.Counts {
		if after.Counts[i] > before.Counts[i] {
			most = after.Buckets[i+1]
		}
	}
	return most
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// scripts measures guests of other languages, as bench/guests/build.sh makes them.
func (g *guests) scripts(ctx context.Context) error {
	for _, l := range []struct {
		name string
		as   string
		bar  float64
	}{{"go", "go_noop", 10}, {"qjs", "qjs_bare", 20}, {"sm", "sm_noop", 400}} {
		file := filepath.Join("bench", "guests", "out", l.name+".wasm")
		code, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(os.Stderr, "skip: invoke_%s: %s is not built, see bench/guests\n", l.as, file)
			continue
		}
		if err != nil {
			return err
		}
		h := &wasm.Hosts{}
		tick := ticker()
		tick.Name = "bench:guest/host@1.0.0"
		h.Add(tick)
		b, err := g.bind(ctx, code, h)
		if err != nil {
			return err
		}
		us, err := cost(ctx, b, kept(benchCalls, "noop"))
		if err != nil {
			return err
		}
		g.add("invoke_"+l.as, us, "us CPU", bar(l.bar))
	}
	return nil
}

// public reads a public component; nil when there is none.
func public(name string) ([]byte, error) {
	dir := os.Getenv("GREENTIC_INPUT")
	code, err := os.ReadFile(filepath.Join(dir, name))
	if dir == "" || errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "skip: %s: GREENTIC_INPUT names no folder that holds it\n", name)
		return nil, nil
	}
	return code, err
}

// telegramHosts answers the imports of the Telegram provider from memory.
func telegramHosts(send wasm.HostFunc) *wasm.Hosts {
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "greentic:secrets-store/secrets-store@1.0.0", Funcs: map[string]wasm.HostFunc{
		"get": func(context.Context, *wasm.Call, []any) (any, error) {
			return wasm.OK(wasm.Some([]byte("s3cret"))), nil
		}}})
	h.Add(&wasm.Interface{Name: "greentic:http/http-client@1.1.0", Funcs: map[string]wasm.HostFunc{"send": send}})
	return h
}

func sent(context.Context, *wasm.Call, []any) (any, error) {
	return wasm.OK(wasm.Record{{Name: "status", Value: uint16(200)}, {Name: "headers", Value: []any{}},
		{Name: "body", Value: wasm.Some([]byte(`{"ok":true,"result":{"message_id":7}}`))}}), nil
}

// telegram measures a real provider of 1 MB.
func (g *guests) telegram(ctx context.Context) error {
	code, err := public("telegram.wasm")
	if code == nil {
		return err
	}
	b, err := g.bind(ctx, code, telegramHosts(sent))
	if err != nil {
		return err
	}
	us, err := cost(ctx, b, kept(telegramSchema, "healthcheck"))
	if err != nil {
		return err
	}
	g.add("invoke_telegram_healthcheck", us, "us CPU", bar(10))
	send := kept(telegramSchema, "invoke", "send", []byte(telegramSend))
	if us, err = cost(ctx, b, send); err != nil {
		return err
	}
	g.add("invoke_telegram_send", us, "us CPU, two host calls answered from memory", bar(35))
	one, err := throughput(ctx, b, send, 1)
	if err != nil {
		return err
	}
	two, err := throughput(ctx, b, send, 2)
	if err != nil {
		return err
	}
	g.list = append(g.list, figure{Name: "send_per_core", Value: one, Unit: "sends/s, one goroutine", Bar: bar(25_000), higher: true},
		figure{Name: "send_two_cores", Value: two / one, Unit: "times one goroutine", Bar: bar(1.8), higher: true})
	if us, err = cost(ctx, b, kept("greentic:component/descriptor@0.6.1", "describe")); err != nil {
		return err
	}
	g.add("invoke_telegram_describe", us, "us CPU", nil)
	return nil
}

// throughput is the best of three half-seconds of n goroutines of one owner each.
func throughput(ctx context.Context, b *wasm.Bound, inv wasm.Invocation, n int) (best float64, err error) {
	for range 3 {
		counts, errs := make([]int, n), make([]error, n)
		start := time.Now()
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				inv := inv
				inv.Owner = strconv.Itoa(i)
				for errs[i] == nil && time.Since(start) < 500*time.Millisecond {
					_, _, errs[i] = b.Invoke(ctx, inv)
					counts[i]++
				}
			})
		}
		wg.Wait()
		total := 0
		for i := range n {
			total += counts[i]
		}
		best = max(best, float64(total)/time.Since(start).Seconds())
		err = errors.Join(append(errs, err)...)
	}
	return best, err
}

// births measures what another owner's first call costs, and what an instance that works holds.
func (g *guests) births(ctx context.Context) error {
	for _, l := range []struct {
		name, file string
		bar        float64
		inv        wasm.Invocation
	}{
		{"rust", filepath.Join(os.Getenv("GREENTIC_INPUT"), "telegram.wasm"), 500, kept(telegramSchema, "healthcheck")},
		{"go", filepath.Join("bench", "guests", "out", "go.wasm"), 2500, kept(benchCalls, "noop")},
	} {
		code, err := os.ReadFile(l.file)
		if errors.Is(err, os.ErrNotExist) {
			continue // said above
		}
		if err != nil {
			return err
		}
		b, err := g.bind(ctx, code, &wasm.Hosts{TrapMissing: true})
		if err != nil {
			return err
		}
		n := 0
		us, err := perOp(func() error {
			n++
			inv := l.inv
			inv.Owner = "owner " + strconv.Itoa(n%1000) // by the time it comes again its instance is gone
			_, _, err := b.Invoke(ctx, inv)
			return err
		})
		if err != nil {
			return err
		}
		g.add("kept_instance_"+l.name, us, "us CPU, a new one with its first call", bar(l.bar))
	}
	return g.parked(ctx)
}

// parked measures the private memory of instances that wait in a host call.
func (g *guests) parked(ctx context.Context) error {
	code, err := public("telegram.wasm")
	if code == nil {
		return err
	}
	const n = 500
	arrived, leave := make(chan struct{}, n), make(chan struct{})
	b, err := g.bind(ctx, code, telegramHosts(func(ctx context.Context, c *wasm.Call, args []any) (any, error) {
		if c.Data != nil {
			arrived <- struct{}{}
			<-leave
		}
		return sent(ctx, c, args)
	}))
	if err != nil {
		return err
	}
	inv := kept(telegramSchema, "invoke", "send", []byte(telegramSend))
	if _, _, err := b.Invoke(ctx, inv); err != nil { // makes the image
		return err
	}
	debug.FreeOSMemory()
	before := privateKiB()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			inv := inv
			inv.Data = i
			_, _, errs[i] = b.Invoke(ctx, inv)
		})
	}
	for range n {
		<-arrived
	}
	debug.FreeOSMemory()
	held := privateKiB() - before
	close(leave)
	wg.Wait()
	g.add("kept_instance_private", held/n, "KB private, waiting in a host call, goroutine included", bar(200))
	return errors.Join(errs...)
}

// privateKiB is the memory that this process shares with nobody.
func privateKiB() (sum float64) {
	raw, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[0], "Private_") {
			kib, _ := strconv.ParseFloat(f[1], 64)
			sum += kib
		}
	}
	return sum
}
