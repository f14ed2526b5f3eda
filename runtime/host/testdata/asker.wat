;; A provider whose input says what it asks the host, a letter at a time; its operation is a URL.
;; w, m, r, b: adds the wall clock, the monotonic clock, a random number, the random number it drew
;; at its start (it does when it is instantiated) to its answer, in hexadecimal digits
;; k: reads the secret TOKEN, which is empty before
;; g, p: sends a GET, or a POST whose body is the secret and then its answer so far; adds the body of the answer, or ! and the code
;; u: sends a GET to the URL with the secret behind it
;; s, t: reads the state under the key "k" and adds it (or !); writes its answer so far there
;; j: forgets its answer so far, with what it begins with, so that the rest may be JSON
;; z: traps. Other letters do nothing.
;; Built with asker.sh.
(module
  (import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall (param i32)))
  (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $monotonic (result i64)))
  (import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
  (import "greentic:secrets-store/secrets-store@1.0.0" "get" (func $secret (param i32 i32 i32)))
  (import "greentic:state/state-store@1.0.0" "read" (func $read (param i32 i32 i32 i32 i32 i32)))
  (import "greentic:state/state-store@1.0.0" "write" (func $write (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "greentic:http/http-client@1.0.0" "send" (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 4)
  (data (i32.const 16) "TOKEN")
  (data (i32.const 32) "GET")
  (data (i32.const 40) "POST")
  (data (i32.const 48) "k")
  (data (i32.const 56) "!")
  (global $top (mut i32) (i32.const 131072))
  (global $out (mut i32) (i32.const 65536)) ;; the answer begins at 65536
  (global $key (mut i32) (i32.const 0))     ;; the secret
  (global $key-size (mut i32) (i32.const 0))
  (global $born (mut i64) (i64.const 0))
  (func $_initialize (export "_initialize") (global.set $born (call $random)))
  (func $realloc (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get $new)))
    (block $enough
      (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $enough (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))
      unreachable)
    (local.get $at))
  (func $add (param $at i32) (param $size i32)
    (memory.copy (global.get $out) (local.get $at) (local.get $size))
    (global.set $out (i32.add (global.get $out) (local.get $size))))
  (func $hex (param $n i64)
    (local $i i32) (local $digit i32)
    (loop $more
      (local.set $digit (i32.wrap_i64 (i64.shr_u (local.get $n) (i64.const 60))))
      (i32.store8 (global.get $out) (i32.add (i32.add (local.get $digit) (i32.const 48))
        (select (i32.const 39) (i32.const 0) (i32.gt_u (local.get $digit) (i32.const 9)))))
      (global.set $out (i32.add (global.get $out) (i32.const 1)))
      (local.set $n (i64.shl (local.get $n) (i64.const 4)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (i32.const 16)))))
  ;; ask sends a request and adds what came of it.
  (func $ask (param $method i32) (param $method-size i32) (param $url i32) (param $url-size i32) (param $body i32) (param $body-size i32)
    (call $send (local.get $method) (local.get $method-size) (local.get $url) (local.get $url-size) (i32.const 0) (i32.const 0)
      (i32.ne (local.get $body-size) (i32.const 0)) (local.get $body) (local.get $body-size) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 256))
    (if (i32.load8_u (i32.const 256))
      (then (call $add (i32.const 56) (i32.const 1)) (call $add (i32.load (i32.const 260)) (i32.load (i32.const 264))))
      (else (call $add (i32.load (i32.const 276)) (i32.load (i32.const 280))))))
  ;; join puts b behind a and gives where.
  (func $join (param $a i32) (param $a-size i32) (param $b i32) (param $b-size i32) (result i32)
    (local $at i32)
    (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.add (local.get $a-size) (local.get $b-size))))
    (memory.copy (local.get $at) (local.get $a) (local.get $a-size))
    (memory.copy (i32.add (local.get $at) (local.get $a-size)) (local.get $b) (local.get $b-size))
    (local.get $at))
  (func $so-far (result i32) (i32.sub (global.get $out) (i32.const 65536)))
  (func $do (param $letter i32) (param $url i32) (param $url-size i32)
    (if (i32.eq (local.get $letter) (i32.const 119)) (then ;; w
      (call $wall (i32.const 256))
      (call $hex (i64.load (i32.const 256)))
      (call $hex (i64.load32_u (i32.const 264)))))
    (if (i32.eq (local.get $letter) (i32.const 109)) (then (call $hex (call $monotonic)))) ;; m
    (if (i32.eq (local.get $letter) (i32.const 114)) (then (call $hex (call $random)))) ;; r
    (if (i32.eq (local.get $letter) (i32.const 98)) (then (call $hex (global.get $born)))) ;; b
    (if (i32.eq (local.get $letter) (i32.const 107)) (then ;; k
      (call $secret (i32.const 16) (i32.const 5) (i32.const 256))
      (if (i32.eqz (i32.load8_u (i32.const 256))) (then
        (global.set $key (i32.load (i32.const 264)))
        (global.set $key-size (i32.load (i32.const 268)))))))
    (if (i32.eq (local.get $letter) (i32.const 103)) (then ;; g
      (call $ask (i32.const 32) (i32.const 3) (local.get $url) (local.get $url-size) (i32.const 0) (i32.const 0))))
    (if (i32.eq (local.get $letter) (i32.const 112)) (then ;; p
      (call $ask (i32.const 40) (i32.const 4) (local.get $url) (local.get $url-size)
        (call $join (global.get $key) (global.get $key-size) (i32.const 65536) (call $so-far))
        (i32.add (global.get $key-size) (call $so-far)))))
    (if (i32.eq (local.get $letter) (i32.const 117)) (then ;; u
      (call $ask (i32.const 32) (i32.const 3)
        (call $join (local.get $url) (local.get $url-size) (global.get $key) (global.get $key-size))
        (i32.add (local.get $url-size) (global.get $key-size)) (i32.const 0) (i32.const 0))))
    (if (i32.eq (local.get $letter) (i32.const 115)) (then ;; s
      (call $read (i32.const 48) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 256))
      (if (i32.load8_u (i32.const 256))
        (then (call $add (i32.const 56) (i32.const 1)))
        (else (call $add (i32.load (i32.const 260)) (i32.load (i32.const 264)))))))
    (if (i32.eq (local.get $letter) (i32.const 116)) (then ;; t
      (call $write (i32.const 48) (i32.const 1) (i32.const 65536) (call $so-far) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 256))))
    (if (i32.eq (local.get $letter) (i32.const 106)) (then (global.set $out (i32.const 65536)))) ;; j
    (if (i32.eq (local.get $letter) (i32.const 122)) (then unreachable))) ;; z
  (func (export "greentic:provider-schema-core/schema-core-api@1.0.0#invoke") (param $op i32) (param $op-size i32) (param $in i32) (param $in-size i32) (result i32)
    (local $i i32)
    (call $add (i32.const 48) (i32.const 1)) ;; so that it is never a number
    (loop $more
      (if (i32.lt_u (local.get $i) (local.get $in-size)) (then
        (call $do (i32.load8_u (i32.add (local.get $in) (local.get $i))) (local.get $op) (local.get $op-size))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more))))
    (i32.store (i32.const 512) (i32.const 65536))
    (i32.store (i32.const 516) (call $so-far))
    (i32.const 512)))
