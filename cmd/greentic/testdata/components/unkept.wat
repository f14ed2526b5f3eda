;; A component whose instances cannot be put back into their first state, and that takes 2 MiB.
(component
  (core module $m
    (table $t 4 funcref)
    (memory 32)
    (func $start)
    (start $start)
    (func (export "f") (table.set $t (i32.const 0) (ref.null func))))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
