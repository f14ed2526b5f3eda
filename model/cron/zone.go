package cron

import (
	_ "embed"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

// zones are the names of the IANA time zone database, one a line, sorted.
//
//go:embed zones.txt
var zones string

// CheckZone refuses what is no name of the IANA time zone database; empty means UTC. The error is
// fault.Invalid, with the nearest name as its fix.
func CheckZone(name string) error {
	names := strings.Fields(zones)
	if _, ok := slices.BinarySearch(names, name); ok || name == "" {
		return nil
	}
	near := nearest.Word(name, names)
	if near == "" { // the city alone, or another region
		_, city := cut(name)
		for _, n := range names {
			if _, c := cut(n); strings.EqualFold(c, city) {
				near = n
			}
		}
	}
	return fault.Newf(fault.Invalid, "zone", "%.80q is no time zone", name).WithFix(suggest(near, "write a name of the IANA database, for example Europe/Berlin"))
}

func cut(name string) (region, city string) {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)], name[i+1:]
}

func suggest(near, otherwise string) string {
	if near == "" {
		return otherwise
	}
	return "did you mean " + near + "?"
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}
