;; A nested component that gets its core module from outside, twice.
(component
  (component $user
    (import "m" (core module $m (export "f" (func (result i32))) (export "memory" (memory 1))))
    (core instance $i (instantiate $m))
    (func (export "f") (result u32) (canon lift (core func $i "f"))))
  (core module $seven (memory (export "memory") 1) (func (export "f") (result i32) (i32.const 7)))
  (core module $eight (memory (export "memory") 1) (func (export "f") (result i32) (i32.const 8)))
  (instance $a (instantiate $user (with "m" (core module $seven))))
  (instance $b (instantiate $user (with "m" (core module $eight))))
  (export "seven" (func $a "f"))
  (export "eight" (func $b "f")))
