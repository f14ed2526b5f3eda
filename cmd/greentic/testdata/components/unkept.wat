;; A component whose instances cannot be put back into their first state, and that takes 2 MiB.
(component
  (core module $m
    (global $g (mut v128) (v128.const i64x2 0 0))
    (memory 32)
    (func $start)
    (start $start)
    (func (export "f") (global.set $g (v128.const i64x2 1 2))))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
