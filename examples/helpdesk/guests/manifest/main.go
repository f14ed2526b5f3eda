// Command manifest writes the hash of a component's code into its component.manifest.json.
//
// What it is: the last step of build.sh. Who calls it: build.sh, once per component, with the
// path of the manifest. What it refuses to do: change anything but hashes.component_wasm.
// Main function: update. Tested by the build: the platform refuses a manifest whose hash is
// not that of the code.
package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"lukechampine.com/blake3"
)

func main() {
	for _, file := range os.Args[1:] {
		if err := update(file); err != nil {
			fmt.Fprintln(os.Stderr, "manifest", file+":", err)
			os.Exit(1)
		}
	}
}

var hash = regexp.MustCompile(`("component_wasm":\s*")blake3:[0-9a-f]*(")`)

// update replaces the hash in the manifest file by that of the code it names.
func update(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var m struct {
		Artifacts struct {
			Wasm string `json:"component_wasm"`
		} `json:"artifacts"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	code, err := os.ReadFile(filepath.Join(filepath.Dir(file), m.Artifacts.Wasm))
	if err != nil {
		return err
	}
	if !hash.Match(text) {
		return errors.New("hashes.component_wasm is missing")
	}
	sum := blake3.Sum256(code)
	text = hash.ReplaceAll(text, []byte("${1}blake3:"+hex.EncodeToString(sum[:])+"${2}"))
	return os.WriteFile(file, text, 0o644)
}
