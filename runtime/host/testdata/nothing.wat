;; A component of a world this host does not know.
;; Built with: jco parse nothing.wat -o nothing.wasm
(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "f")))
  (instance $x (export "f" (func $f)))
  (export "example:other/world@1.0.0" (instance $x)))
