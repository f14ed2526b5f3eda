;; A core start function that calls the host without end.
(component
  (import "wait" (func $wait))
  (core func $wait (canon lower (func $wait)))
  (core module $m
    (import "h" "wait" (func $wait))
    (func $f (loop $l (call $wait) (br $l)))
    (start $f)
    (func (export "fresh") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m (with "h" (instance (export "wait" (func $wait))))))
  (func (export "fresh") (result u32) (canon lift (core func $i "fresh"))))
