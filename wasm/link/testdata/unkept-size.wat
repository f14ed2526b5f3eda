;; Keeps what it was told in the size of a table, where an image does not reach.
(component
  (core module $m
    (table $t 2 funcref)
    (func (export "hide") (param i64)
      (drop (table.grow $t (ref.null func) (i32.const 3))))
    (func (export "seek") (result i64)
      (i64.extend_i32_u (i32.ne (table.size $t) (i32.const 2)))))
  (core instance $i (instantiate $m))
  (func (export "hide") (param "secret" u64) (canon lift (core func $i "hide")))
  (func (export "seek") (result u64) (canon lift (core func $i "seek"))))
