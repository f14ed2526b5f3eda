package cron

import (
	"strconv"
	"strings"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

// Expr is a parsed expression. It is immutable.
type Expr struct {
	text                 string
	second, minute, hour uint64 // sets of values
	day, month, weekday  uint64
	lastDay              bool      // L as a day
	nth                  [7]uint64 // 1#2: which of this weekday in the month
	lastWeekday          uint64    // 5L
	anyDay, anyWeekday   bool      // the field begins with * or is ?
	elapsed              bool      // the minute or the hour begins with *
}

// String is the expression as it was written.
func (e Expr) String() string { return e.text }

// field is one field of an expression.
type field struct {
	name     string
	min, max int
	names    []string // of min, min+1, …
}

func fields() [6]field {
	return [6]field{
		{"second", 0, 59, nil}, {"minute", 0, 59, nil}, {"hour", 0, 23, nil}, {"day of the month", 1, 31, nil},
		{"month", 1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
		{"day of the week", 0, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
	}
}

func shorthands() map[string]string {
	return map[string]string{"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
		"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *"}
}

// Parse reads "minute hour day month weekday", the same with seconds in front, or a shorthand
// (@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly). A field is a list of *, ?, a, a-b, each
// with or without /step; months and weekdays have English names, 0 and 7 are Sunday. L is the
// last day of the month, 5L its last Friday, 1#2 its second Monday. Where both days are given,
// either is enough; where one of them begins with *, both must hold, as in Vixie cron.
// The error is fault.Invalid; it names the field and has a fix.
func Parse(text string) (Expr, error) {
	e := Expr{text: text}
	long := strings.TrimSpace(text)
	if strings.HasPrefix(long, "@") {
		known, names := shorthands(), []string{}
		for name := range known {
			names = append(names, name)
		}
		full, ok := known[strings.ToLower(long)]
		if !ok {
			return e, broken(text, "is no shorthand", suggest(nearest.Word(strings.ToLower(long), sorted(names)), "write one of "+strings.Join(sorted(names), ", ")))
		}
		long = full
	}
	parts := strings.Fields(long)
	switch len(parts) {
	case 5:
		parts = append([]string{"0"}, parts...)
	case 6:
	default:
		return e, broken(text, "has "+strconv.Itoa(len(parts))+" fields, not 5 or 6", "write minute, hour, day of the month, month and day of the week, with or without seconds in front: 30 8 * * MON-FRI")
	}
	for i, f := range fields() {
		if err := e.field(i, f, strings.ToUpper(parts[i])); err != nil {
			return e, err
		}
	}
	e.anyDay, e.anyWeekday = starred(parts[3]), starred(parts[5])
	e.elapsed = strings.HasPrefix(parts[1], "*") || strings.HasPrefix(parts[2], "*")
	if _, err := e.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.UTC); err != nil {
		return e, broken(text, "names a day that never comes", "check the day of the month against the month")
	}
	return e, nil
}

func starred(part string) bool { return part[0] == '*' || part == "?" }

func broken(text, what, fix string) error {
	return fault.Newf(fault.Invalid, "cron", "%.80q %s", text, what).WithFix(fix)
}

func (e *Expr) field(i int, f field, text string) error {
	sets := [6]*uint64{&e.second, &e.minute, &e.hour, &e.day, &e.month, &e.weekday}
	for item := range strings.SplitSeq(text, ",") {
		if i == 3 && item == "L" {
			e.lastDay = true
			continue
		}
		if i == 5 && e.special(f, item) {
			continue
		}
		values, fix := f.item(item)
		if fix != "" {
			return broken(e.text, "has "+strconv.Quote(item)+" as its "+f.name, fix)
		}
		*sets[i] |= values
	}
	if i == 5 {
		e.weekday = e.weekday&0x7f | e.weekday>>7
	}
	return nil
}

// special reads 5L and 1#2.
func (e *Expr) special(f field, item string) bool {
	if day, ok := strings.CutSuffix(item, "L"); ok {
		if n, ok := f.value(day); ok {
			e.lastWeekday |= 1 << (n % 7)
			return true
		}
	}
	day, nth, ok := strings.Cut(item, "#")
	n, known := f.value(day)
	if ok = ok && known && len(nth) == 1 && nth >= "1" && nth <= "5"; ok {
		e.nth[n%7] |= 1 << (nth[0] - '0')
	}
	return ok
}

// item reads one item of a list; a fix says that it is wrong.
func (f field) item(item string) (values uint64, fix string) {
	span, stepText, stepped := strings.Cut(item, "/")
	from, to, step := f.min, f.max, 1
	if f.max == 7 {
		to = 6 // Sunday once
	}
	if stepped {
		n, err := strconv.Atoi(stepText)
		if err != nil || n < 1 || n > f.max {
			return 0, "write a step from 1 to " + strconv.Itoa(f.max) + " after the /"
		}
		step = n
	}
	if span != "*" && span != "?" {
		a, b, ranged := strings.Cut(span, "-")
		var ok bool
		if from, ok = f.value(a); !ok {
			return 0, f.say()
		}
		switch {
		case ranged:
			if to, ok = f.value(b); !ok {
				return 0, f.say()
			}
		case !stepped:
			to = from
		}
		if to < from {
			return 0, "write the smaller value first; what goes over the end needs two ranges with a comma between"
		}
	}
	for n := from; n <= to; n += step {
		values |= 1 << n
	}
	return values, ""
}

func (f field) value(text string) (int, bool) {
	for i, name := range f.names {
		if text == name {
			return f.min + i, true
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= f.min && n <= f.max && text[0] != '+' && text[0] != '-'
}

func (f field) say() string {
	s := "write *, or values from " + strconv.Itoa(f.min) + " to " + strconv.Itoa(f.max)
	if f.names != nil {
		s += " or " + f.names[0] + " to " + f.names[len(f.names)-1]
	}
	return s
}
