;; Keeps what it was told in a table of another module, where an image does not reach.
(component
  (core module $other (table (export "t") 2 funcref))
  (core instance $other (instantiate $other))
  (core module $m
    (import "o" "t" (table $t 2 funcref))
    (func $one (result i64) (i64.const 1))
    (elem declare func $one)
    (func (export "hide") (param i64)
      (table.set $t (i32.const 1) (ref.func $one)))
    (func (export "seek") (result i64)
      (i64.extend_i32_u (i32.eqz (ref.is_null (table.get $t (i32.const 1)))))))
  (core instance $i (instantiate $m (with "o" (instance $other))))
  (func (export "hide") (param "secret" u64) (canon lift (core func $i "hide")))
  (func (export "seek") (result u64) (canon lift (core func $i "seek"))))
