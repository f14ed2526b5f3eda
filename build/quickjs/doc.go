// Package quickjs makes components of JavaScript modules: the QuickJS engine, the modules, and
// what stands between them and the interfaces of a world.
//
// What it is: [Componentize], a pure function of a [Program]; the same program gives the same
// bytes. The component has four core modules: a shelf with the sources, the engine as it was
// published, an arena for what goes in and out of its memory, and the glue. When it is
// instantiated the glue starts the engine, which runs kernel.js, and this imports the entry
// module; a host that keeps an image of that start pays for it once. Values cross in JavaScript
// generated from the types (bindings.go). An entry module may export failed, which makes an error with a payload of
// one that no function threw. Who calls it: build/js. What it refuses to do: read
// files, resolve module names, know what a component is for; resources, and variants that do not
// lie in memory. At the start there is no clock and no randomness: Date.now() is 0. Main types:
// [Program]. Its promises are tested in quickjs_test.go.
//
// engine/quickjs.wasm is QuickJS-ng of the npm package quickjs-wasi (engine/LICENSE), unchanged;
// package.json there pins it and `make gen` brings it.
package quickjs
