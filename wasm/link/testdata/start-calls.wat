;; A core start function that calls the host.
(component
  (import "wait" (func $wait))
  (core func $wait (canon lower (func $wait)))
  (core module $m
    (import "h" "wait" (func $wait))
    (start $wait)
    (func (export "f")))
  (core instance $i (instantiate $m (with "h" (instance (export "wait" (func $wait))))))
  (func (export "f") (canon lift (core func $i "f"))))
