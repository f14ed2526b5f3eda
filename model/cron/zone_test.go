package cron_test

import (
	"archive/zip"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cron"
)

func TestAnUnknownZoneGetsTheNearestName(t *testing.T) {
	for given, want := range map[string]string{
		"Europe/Berlim": "did you mean Europe/Berlin?", "europe/berlin": "did you mean Europe/Berlin?", "Berlin": "did you mean Europe/Berlin?",
		"Local": "", "../../etc/passwd": "IANA", "CEST": "",
	} {
		err := cron.CheckZone(given)
		_, fix, _ := fault.Detail(err)
		if !fault.Is(err, fault.Invalid) || fix == "" || !strings.Contains(fix, want) {
			t.Errorf("%s: %v, fix %q", given, err, fix)
		}
	}
	for _, name := range []string{"", "UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "US/Eastern"} {
		if err := cron.CheckZone(name); err != nil {
			t.Error(err)
		}
	}
}

// The list of names is that of the time zone database of the Go toolchain.
func TestTheZonesAreThoseOfTheDatabase(t *testing.T) {
	db, err := zip.OpenReader(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skip("the Go toolchain brings no zoneinfo.zip: ", err)
	}
	defer db.Close()
	for _, f := range db.File {
		if strings.HasSuffix(f.Name, "/") || f.Name == "Factory" {
			continue
		}
		if err := cron.CheckZone(f.Name); err != nil {
			t.Errorf("%v; the list is older than the database", err)
		}
	}
}
