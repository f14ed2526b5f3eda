(component
  (core module $m (func (export "f") (result i32) i64.const 0))
  (core instance $i (instantiate $m))
  (func (export "f") (result s32) (canon lift (core func $i "f"))))
