;; A core start function that traps.
(component
  (core module $m
    (func $f (unreachable))
    (start $f)
    (func (export "fresh") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m))
  (func (export "fresh") (result u32) (canon lift (core func $i "fresh"))))
