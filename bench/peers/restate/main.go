// Command restate is the service that Restate calls and the load on it: `restate serve ADDRESS`,
// `restate load URL CALLERS TIME PID...`. See run.sh.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	restate "github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/server"
)

// Flow is the service.
type Flow struct{}

// Message is what a caller says and hears.
type Message struct {
	Text string `json:"text"`
}

// One answers in one durable step.
func (Flow) One(ctx restate.Context, in Message) (Message, error) {
	text, err := restate.Run(ctx, func(restate.RunContext) (string, error) { return "answer " + in.Text, nil })
	return Message{text}, err
}

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		h := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
		err = server.NewRestate().WithLogger(h.Handler(), false).Bind(restate.Reflect(Flow{})).Start(context.Background(), os.Args[2])
	case len(os.Args) > 4 && os.Args[1] == "load":
		err = load(os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	default:
		err = fmt.Errorf("usage: %s serve ADDRESS | load URL CALLERS TIME PID", os.Args[0])
	}
	if err != nil {
		log.Fatal(err)
	}
}

// load calls url from n callers for a time and prints rate, p99 and the processor time that the processes used.
func load(url, n, lasts string, pids []string) error {
	callers, err := strconv.Atoi(n)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(lasts)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}, Timeout: 30 * time.Second}
	took, errs := make([][]time.Duration, callers), make([]error, callers)
	before, begin := used(pids), time.Now()
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for time.Since(begin) < d && errs[i] == nil {
				sent := time.Now()
				errs[i] = call(client, url)
				took[i] = append(took[i], time.Since(sent))
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	whole := slices.Concat(took...)
	slices.Sort(whole)
	calls := float64(len(whole))
	fmt.Printf("restate one step, %d callers: %.0f/s, p99 %.1f ms, %.0f us CPU of server and service\n", callers, calls/time.Since(begin).Seconds(),
		float64(whole[len(whole)*99/100].Microseconds())/1e3, (used(pids)-before)*1e6/calls)
	return nil
}

func call(c *http.Client, url string) error {
	r, err := c.Post(url, "application/json", strings.NewReader(`{"text":"hello"}`))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && (r.StatusCode != http.StatusOK || !strings.Contains(string(body), "answer hello")) {
		err = fmt.Errorf("%s: %s", r.Status, body)
	}
	return err
}

// used is the processor time of processes in seconds, by clock ticks of 10 ms.
func used(pids []string) (seconds float64) {
	for _, pid := range pids {
		raw, _ := os.ReadFile("/proc/" + pid + "/stat")
		_, rest, _ := strings.Cut(string(raw), ") ")
		fields := strings.Fields(rest)
		for _, i := range []int{11, 12} { // utime, stime
			if i < len(fields) {
				ticks, _ := strconv.ParseFloat(fields[i], 64)
				seconds += ticks / 100
			}
		}
	}
	return seconds
}
