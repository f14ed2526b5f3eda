;; Keeps what it was told in a vector, where an image does not reach.
(component
  (core module $m
    (global $v (mut v128) (v128.const i64x2 0 0))
    (func (export "hide") (param i64)
      (global.set $v (i64x2.splat (local.get 0))))
    (func (export "seek") (result i64)
      (i64x2.extract_lane 1 (global.get $v))))
  (core instance $i (instantiate $m))
  (func (export "hide") (param "secret" u64) (canon lift (core func $i "hide")))
  (func (export "seek") (result u64) (canon lift (core func $i "seek"))))
