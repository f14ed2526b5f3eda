;; Keeps what it was told in a reference, where an image does not reach.
(component
  (core module $m
    (global $r (mut funcref) (ref.null func))
    (func $one (result i64) (i64.const 1))
    (elem declare func $one)
    (func (export "hide") (param i64)
      (global.set $r (ref.func $one)))
    (func (export "seek") (result i64)
      (i64.extend_i32_u (i32.eqz (ref.is_null (global.get $r))))))
  (core instance $i (instantiate $m))
  (func (export "hide") (param "secret" u64) (canon lift (core func $i "hide")))
  (func (export "seek") (result u64) (canon lift (core func $i "seek"))))
