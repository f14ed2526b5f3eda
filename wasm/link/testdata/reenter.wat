;; A child that calls back into its sibling, which is already being called: must trap.
(component
  (component $a
    (import "next" (func $next))
    (core func $next (canon lower (func $next)))
    (core module $m
      (import "h" "next" (func $next))
      (func (export "run") (call $next)))
    (core instance $i (instantiate $m (with "h" (instance (export "next" (func $next))))))
    (func (export "run") (canon lift (core func $i "run"))))
  ;; the table lets the parent pass a function that is only known later
  (core module $shim
    (type $f (func))
    (table (export "t") 1 1 funcref)
    (func (export "call") (call_indirect (type $f) (i32.const 0))))
  (core instance $shim (instantiate $shim))
  (func $shimmed (canon lift (core func $shim "call")))
  (instance $a (instantiate $a (with "next" (func $shimmed))))
  (core func $again (canon lower (func $a "run")))
  (core module $fix
    (import "s" "t" (table 1 1 funcref))
    (import "s" "f" (func $f))
    (elem (i32.const 0) func $f))
  (core instance (instantiate $fix (with "s" (instance (export "t" (table $shim "t")) (export "f" (func $again))))))
  (export "run" (func $a "run")))
