;; Keeps what it was told in that a segment is gone, where an image does not reach.
(component
  (core module $m
    (memory 1)
    (data $d "segment.")
    (func (export "hide") (param i64)
      (data.drop $d))
    (func (export "seek") (result i64)
      (memory.init $d (i32.const 8) (i32.const 0) (i32.const 8)) ;; traps when it is gone
      (i64.const 0)))
  (core instance $i (instantiate $m))
  (func (export "hide") (param "secret" u64) (canon lift (core func $i "hide")))
  (func (export "seek") (result u64) (canon lift (core func $i "seek"))))
