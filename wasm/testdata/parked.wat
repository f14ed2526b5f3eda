;; A guest of ordinary size: 1.5 MiB of memory, of which 96 KiB are filled when it starts, and
;; sixteen pages are written by a call before it waits for the host.
(component
  (import "wait" (func $wait (param "n" u32)))
  (core func $wait (canon lower (func $wait)))
  (core module $m
    (import "h" "wait" (func $wait (param i32)))
    (memory 24)
    (global $number (mut i32) (i32.const 0))
    (data (i32.const 1024) "\0c\31\56\7b\a0\c5\ea\10\35\5a\7f\a4\c9\ee\14\39\5e\83\a8\cd\f2\18\3d\62\87\ac\d1\f6\1c\41\66\8b\b0\d5\fa\20\45\6a\8f\b4\d9\fe\24\49\6e\93\b8\dd\03\28\4d\72\97\bc\e1\07\2c\51\76\9b\c0\e5\0b\30\55\7a\9f\c4\e9\0f\34\59\7e\a3\c8\ed\13\38\5d\82\a7\cc\f1\17\3c\61\86\ab\d0\f5\1b\40\65\8a\af\d4")
    (func $start (local $at i32)
      (local.set $at (i32.const 65536))
      (loop $l
        (memory.copy (local.get $at) (i32.const 1024) (i32.const 96))
        (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 96))) (i32.const 163840)))))
    (start $start)
    ;; writes its number to sixteen pages, waits, and answers the sum of what it finds there
    (func (export "park") (param $n i32) (result i32) (local $at i32) (local $sum i32)
      (global.set $number (i32.add (global.get $number) (local.get $n)))
      (local.set $at (i32.const 1048576))
      (loop $l
        (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (local.get $n)))
        (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (i32.const 1114112))))
      (call $wait (local.get $n))
      (local.set $at (i32.const 1048576))
      (loop $l
        (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
        (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4096))) (i32.const 1114112))))
      (i32.add (local.get $sum) (i32.sub (global.get $number) (local.get $n)))))
  (core instance $i (instantiate $m (with "h" (instance (export "wait" (func $wait))))))
  (func (export "park") (param "n" u32) (result u32) (canon lift (core func $i "park"))))
