;; What the measurements call: a memory of 2.5 MB of which 90 KB are not zero, a host call, an
;; echo of bytes, and an endless loop. probe.wasm is made of it by: wasm-tools parse probe.wat -o probe.wasm
(component
  (import "tick" (func $tick (param "x" u32) (result u32)))
  (core module $libc
    (memory (export "memory") 40)
    (data (i32.const 65536) "a page that is not zero")
    (data (i32.const 155648) "the last of them")
    (func $fill (local $at i32)
      (loop $next
        (i32.store (i32.add (i32.const 65536) (local.get $at)) (i32.const 0x5a5a5a5a))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 92160)))))
    (start $fill)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 524288)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $mem))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $tick (canon lower (func $tick)))
  (core module $m
    (import "c" "memory" (memory 1))
    (import "h" "tick" (func $tick (param i32) (result i32)))
    (func (export "noop"))
    (func (export "dirty") (param $pages i32)
      (loop $next
        (i32.store (i32.mul (local.get $pages) (i32.const 16384)) (local.get $pages))
        (local.set $pages (i32.sub (local.get $pages) (i32.const 1)))
        (br_if $next (i32.gt_s (local.get $pages) (i32.const 0)))))
    (func (export "ticks") (param $n i32) (result i32) (local $sum i32)
      (loop $next
        (local.set $sum (i32.add (local.get $sum) (call $tick (local.get $n))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $next (local.get $n)))
      (local.get $sum))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "spin") (loop $l (br $l))))
  (core instance $m (instantiate $m
    (with "c" (instance $libc))
    (with "h" (instance (export "tick" (func $tick))))))
  (func (export "noop") (canon lift (core func $m "noop")))
  (func (export "dirty") (param "pages" u32) (canon lift (core func $m "dirty")))
  (func (export "ticks") (param "n" u32) (result u32) (canon lift (core func $m "ticks")))
  (func (export "echo") (param "b" (list u8)) (result (list u8))
    (canon lift (core func $m "echo") (memory (core memory $mem)) (realloc (core func $realloc))))
  (func (export "spin") (canon lift (core func $m "spin"))))
