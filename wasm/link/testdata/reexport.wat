;; What comes in goes out again: a function and an instance of the host, with its resource, and a
;; type; a component and a core module of its own, which nobody can call.
(component
  (import "twice" (func $twice (param "n" u32) (result u32)))
  (import "test:host/counters@1.0.0" (instance $counters
    (export "counter" (type $counter (sub resource)))
    (export "[constructor]counter" (func (param "n" u32) (result (own $counter))))
    (export "[method]counter.get" (func (param "self" (borrow $counter)) (result u32)))))
  (import "test:host/kinds@1.0.0" (instance $kinds
    (type $kind (enum "a" "b"))
    (export "kind" (type (eq $kind)))))
  (component $inner (import "f" (func $f)) (export "g" (func $f)))
  (core module $m (func (export "f")))
  (export "again" (func $twice))
  (export "test:guest/counters@1.0.0" (instance $counters))
  (export "test:guest/kinds@1.0.0" (instance $kinds))
  (export "part" (component $inner))
  (export "code" (core module $m)))
