//go:build unix

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// figure is one measurement. Bar is the value to reach; higher says that more is better.
type figure struct {
	Name    string   `json:"name"`
	Value   float64  `json:"value"`
	Unit    string   `json:"unit"`
	Bar     *float64 `json:"bar"`
	Met     *bool    `json:"met"`
	Load    float64  `json:"load"` // one-minute load average at the time
	Command string   `json:"command"`
	higher  bool
}

// measurement makes figures; an error says what could not be measured.
type measurement struct {
	name string
	run  func(ctx context.Context) ([]figure, error)
}

func main() {
	only := flag.String("only", "", "measure just this group")
	profile := flag.String("cpuprofile", "", "write a profile of the measurements to this file")
	flag.Parse()
	ctx := context.Background()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	var all []figure
	failed := false
	for _, m := range []measurement{
		{"host", componentHost}, {"compiling", compiling}, {"components", components}, {"conditions", conditions}, {"mappings", mappings}, {"flows", flows},
		{"fsync", fsync}, {"turns", turns}, {"parked", parked}, {"recovery", recovery}, {"servers", servers}, {"development", development}, {"product", product},
	} {
		if *only != "" && *only != m.name {
			continue
		}
		list, err := m.run(ctx)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", m.name, err)
			failed = true
		}
		for _, f := range list {
			f.Load, f.Command = load(), "make bench"
			if f.Bar != nil {
				met := f.Value <= *f.Bar
				if f.higher {
					met = f.Value >= *f.Bar
				}
				f.Met = &met
			}
			all = append(all, f)
		}
	}
	print(all)
	if *only != "" {
		return
	}
	raw, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.WriteFile("bench/latest.json", append(raw, '\n'), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		failed = true
	}
	if failed {
		os.Exit(1)
	}
}

func print(all []figure) {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tVALUE\tUNIT\tBAR\tMET\tLOAD")
	for _, f := range all {
		bar, met := "-", "-"
		if f.Bar != nil {
			bar, met = strconv.FormatFloat(*f.Bar, 'g', 6, 64), "no"
			if *f.Met {
				met = "yes"
			}
		}
		fmt.Fprintf(w, "%s\t%.4g\t%s\t%s\t%s\t%.2f\n", f.Name, f.Value, f.Unit, bar, met, f.Load)
	}
	_ = w.Flush()
}

func bar(v float64) *float64 { return &v }

// load is the one-minute load average, or 0 where the system does not say.
func load() float64 {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	v, _ := strconv.ParseFloat(strings.Fields(string(raw))[0], 64)
	return v
}

// cpu is the processor time this process has used, user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perOp is the processor time of one f in microseconds: the least of nine samples of at least
// 100 ms, for whoever else uses the machine can only add to it.
func perOp(f func() error) (float64, error) {
	least := math.Inf(1)
	for range 9 {
		n, begin, start := 0, cpu(), time.Now()
		for time.Since(start) < 100*time.Millisecond {
			if err := f(); err != nil {
				return 0, err
			}
			n++
		}
		least = min(least, float64((cpu()-begin).Nanoseconds())/1e3/float64(n))
	}
	return least, nil
}
