// Package guests is where the guests of the measurements are made: components with the world of
// world.wit, in Go and in JavaScript.
//
// What it is: nothing to import; build.sh makes go.wasm (standard Go), qjs.wasm (QuickJS) and
// sm.wasm (SpiderMonkey) into the folder out, which is not tracked. Who reads them: bench. What
// it refuses to do: be needed; without the guests their measurements are skipped by name. That
// every guest runs on kept instances is tested in guests_test.go.
package guests
