;; A core start function that takes and fills all the memory there is.
(component
  (core module $m
    (memory 1)
    (global $touched (mut i32) (i32.const 0))
    (func $f
      (loop $l
        (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then
          (memory.fill (i32.shl (i32.sub (memory.size) (i32.const 1)) (i32.const 16)) (i32.const 255) (i32.const 65536))
          (br $l)))))
    (start $f)
    (func (export "fresh") (result i32)
      (global.set $touched (i32.add (global.get $touched) (i32.const 1)))
      (i32.store (i32.const 40000) (i32.add (i32.load (i32.const 40000)) (i32.const 1)))
      (i32.shr_u (i32.add (global.get $touched) (i32.load (i32.const 40000))) (i32.const 1))))
  (core instance $i (instantiate $m))
  (func (export "fresh") (result u32) (canon lift (core func $i "fresh"))))
