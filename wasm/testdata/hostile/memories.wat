;; Three modules with 4 MiB each, and one that grows them in turn until all refuse.
(component
  (core module $m (memory (export "memory") 64))
  (core instance $a (instantiate $m))
  (core instance $b (instantiate $m))
  (core module $grower
    (import "m" "memory" (memory 64))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))
    (func (export "size") (result i32) (memory.size)))
  (core instance $ga (instantiate $grower (with "m" (instance $a))))
  (core instance $gb (instantiate $grower (with "m" (instance $b))))
  (core module $main
    (import "a" "grow" (func $a (result i32)))
    (import "b" "grow" (func $b (result i32)))
    (import "a" "size" (func $sa (result i32)))
    (import "b" "size" (func $sb (result i32)))
    (memory 64)
    (global $touched (mut i32) (i32.const 0))
    (func $touch
      (global.set $touched (i32.add (global.get $touched) (i32.const 1)))
      (i32.store (i32.const 4194300) (i32.add (i32.load (i32.const 4194300)) (i32.const 1))))
    (func (export "fresh") (result i32)
      (call $touch)
      (if (i32.ne (i32.add (memory.size) (i32.add (call $sa) (call $sb))) (i32.const 192)) (then (unreachable)))
      (i32.shr_u (i32.add (global.get $touched) (i32.load (i32.const 4194300))) (i32.const 1)))
    ;; pages of all three in the end
    (func (export "hog") (result i32) (local $refused i32)
      (call $touch)
      (loop $l
        (local.set $refused (i32.add (i32.add
          (i32.eq (call $a) (i32.const -1))
          (i32.eq (call $b) (i32.const -1)))
          (i32.eq (memory.grow (i32.const 1)) (i32.const -1))))
        (br_if $l (i32.lt_u (local.get $refused) (i32.const 3))))
      (i32.add (memory.size) (i32.add (call $sa) (call $sb)))))
  (core instance $i (instantiate $main (with "a" (instance $ga)) (with "b" (instance $gb))))
  (func (export "fresh") (result u32) (canon lift (core func $i "fresh")))
  (func (export "hog") (result u32) (canon lift (core func $i "hog"))))
