package cron_test

import (
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cron"
)

func parse(t testing.TB, text string) cron.Expr {
	t.Helper()
	e, err := cron.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExpressionsNameTheirTimes(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // a Thursday
	for _, c := range []struct{ text, want string }{
		{"30 8 * * MON-FRI", "01 08:30:00, 02 08:30:00, 05 08:30:00"},
		{"*/20 * * * *", "01 00:20:00, 01 00:40:00, 01 01:00:00"},
		{"15 30 8 * * *", "01 08:30:15, 02 08:30:15, 03 08:30:15"},
		{"*/30 * * * * *", "01 00:00:30, 01 00:01:00, 01 00:01:30"},
		{"@hourly", "01 01:00:00, 01 02:00:00, 01 03:00:00"},
		{"@Daily", "02 00:00:00, 03 00:00:00, 04 00:00:00"},
		{"@weekly", "04 00:00:00, 11 00:00:00, 18 00:00:00"},
		{"0 0 L * *", "31 00:00:00, 28 00:00:00, 31 00:00:00"},
		{"0 0 * * 5L", "30 00:00:00, 27 00:00:00, 27 00:00:00"},
		{"0 0 * * mon#2", "12 00:00:00, 09 00:00:00, 09 00:00:00"},
		{"0 0 * * 5-7", "02 00:00:00, 03 00:00:00, 04 00:00:00"},
		{"0 0 * * 7", "04 00:00:00, 11 00:00:00, 18 00:00:00"},
		{"0 0 6 * 1", "05 00:00:00, 06 00:00:00, 12 00:00:00"},   // either day
		{"0 0 */2 * 1", "05 00:00:00, 19 00:00:00, 09 00:00:00"}, // both
		{"0 0 ? * 1/3", "01 00:00:00, 05 00:00:00, 08 00:00:00"},
		{"5/25,58 3 1 FEB,3 *", "01 03:05:00, 01 03:30:00, 01 03:55:00"},
		{"0 0 29 2 *", "29 00:00:00, 29 00:00:00, 29 00:00:00"},
	} {
		e, at, got := parse(t, c.text), from.Add(-time.Nanosecond), []string{}
		if !strings.HasPrefix(c.want, "01 00:00:00") {
			at = from
		}
		for range 3 {
			next, err := e.Next(at, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			at = next
			got = append(got, at.Format("02 15:04:05"))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: %s, want %s", c.text, s, c.want)
		}
	}
}

func TestErrorsNameTheFieldAndTheFix(t *testing.T) {
	for _, c := range []struct{ text, what, fix string }{
		{"", "0 fields", "30 8 * * MON-FRI"},
		{"* * * *", "4 fields", "with or without seconds in front"},
		{"0 0 1 1 * * 2030", "7 fields", "5 or 6"},
		{"60 * * * *", `"60" as its minute`, "0 to 59"},
		{"* 24 * * *", `"24" as its hour`, "0 to 23"},
		{"* * 0 * *", `"0" as its day of the month`, "1 to 31"},
		{"* * * 13 *", `"13" as its month`, "JAN to DEC"},
		{"* * * FEBR *", `"FEBR" as its month`, "JAN to DEC"},
		{"* * * * 8", `"8" as its day of the week`, "SUN to SAT"},
		{"* * * * MON#6", `"MON#6" as its day of the week`, "SUN to SAT"},
		{"99 * * * * *", `"99" as its second`, "0 to 59"},
		{"*/0 * * * *", `"*/0" as its minute`, "a step from 1"},
		{"*/x * * * *", `"*/X" as its minute`, "a step from 1"},
		{"30-10 * * * *", `"30-10" as its minute`, "smaller value first"},
		{"1,,2 * * * *", `"" as its minute`, "0 to 59"},
		{"-1 * * * *", `"-1" as its minute`, "0 to 59"},
		{"+1 * * * *", `"+1" as its minute`, "0 to 59"},
		{"0 0 15W * *", `"15W" as its day of the month`, "1 to 31"},
		{"0 0 30 2 *", "never comes", "against the month"},
		{"@houry", "no shorthand", "did you mean @hourly?"},
		{"@reboot now", "no shorthand", "@"},
	} {
		_, err := cron.Parse(c.text)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		_, fix, _ := fault.Detail(err)
		if all := err.Error() + " " + fix; !strings.Contains(all, c.what) || !strings.Contains(all, c.fix) {
			t.Errorf("%q: %s; fix: %s", c.text, err, fix)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"30 8 * * MON-FRI", "@daily", "0 0 L * 5L,1#2", "*/5,7-9/2 0 0 ? 1 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := cron.Parse(text)
		if err != nil {
			if _, fix, _ := fault.Detail(err); fix == "" || !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v has no fix", err)
			}
			return
		}
		at := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
		if next, err := e.Next(at, time.UTC); err != nil || !next.After(at) {
			t.Fatalf("next %v, %v", next, err)
		}
	})
}
