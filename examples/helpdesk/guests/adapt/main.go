// Command adapt gives a core module made by Go an export cabi_realloc_adapter.
//
// What it is: the step of build.sh between the compiler and the componentiser. The preview-1
// adapter needs two pages of memory before the Go runtime is up. Left alone it takes them with
// memory.grow, but Go believes that only Go grows the memory, and would later put its heap over
// them. The new function hands out package guest's reserve instead. Who calls it: build.sh,
// with the path of the module. What it refuses to do: change a module without the reserve, or
// one that has the export. Main function: adapt. Tested in adapt_test.go.
package main

import (
	"fmt"
	"os"
)

func main() {
	for _, file := range os.Args[1:] {
		if err := rewrite(file); err != nil {
			fmt.Fprintln(os.Stderr, "adapt", file+":", err)
			os.Exit(1)
		}
	}
}

func rewrite(file string) error {
	code, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if code, err = adapt(code); err != nil {
		return err
	}
	return os.WriteFile(file, code, 0o644)
}
