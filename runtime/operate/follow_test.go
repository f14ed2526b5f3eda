package operate_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/runtime/operate"
)

func TestConversationsFollowTheirPackAsFarAsTheyCan(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	tenant := greentic.DefaultTenant()
	api := operate.New(operate.Deps{DB: d.db, Bus: d.bus, Runner: d.runner, Releases: d.releases, Tenant: tenant, Now: time.Now, NewID: func() string { return "x" },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	follow := func() []operate.Followed {
		t.Helper()
		all, err := api.Follow(t.Context(), tenant, d.releases.Served()[0])
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	d.say("k", "1", "a")
	if all := follow(); len(all) > 0 {
		t.Errorf("with nothing new: %+v", all)
	}
	d.serve(makePack(t, "2.0.0", map[string]string{"main": chat("two", "greet")}))
	if all := follow(); len(all) != 1 || all[0].Key != "k" || all[0].Became != operate.Went || all[0].Node != "greet" || all[0].Flow != "main" {
		t.Errorf("to a version that takes it: %+v", all)
	}
	if r := d.say("k", "2", "b"); len(r.Replies) != 1 || !strings.HasPrefix(r.Replies[0].Text, "two ") {
		t.Errorf("it says %+v", r.Replies)
	}
	d.serve(makePack(t, "3.0.0", map[string]string{"main": chat("three", "hello")}))
	if all := follow(); len(all) != 1 || all[0].Became != operate.Ended || !strings.Contains(all[0].Why, "no node greet") {
		t.Errorf("to one that does not: %+v", all)
	}
	if r := d.say("k", "3", "c"); len(r.Replies) != 1 || !strings.HasPrefix(r.Replies[0].Text, "three ") {
		t.Errorf("it begins anew with %+v", r.Replies)
	}
}

func TestTheGraphOfATurnShowsItsPath(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	turn := d.say("k", "1", "a").Turn
	w := d.call("GET", "/v1/turns/"+turn+"/graph?bare", "", nil)
	svg := w.Body.String()
	if w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" || strings.Contains(svg, "<style>") {
		t.Fatalf("%d %v %s", w.Code, w.Header(), svg)
	}
	for _, want := range []string{`class="node entry done" data-node="greet"`, `waiting" data-node="pause"`, `class="route taken"`, `href="#node-pause"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture has no %s:\n%s", want, svg)
		}
	}
	if w := d.call("GET", "/v1/turns/none/graph", "", nil); w.Code != 404 {
		t.Errorf("of no turn: %d", w.Code)
	}
}
