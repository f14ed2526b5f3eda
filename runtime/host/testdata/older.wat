;; A node of the lines before 0.6 whose mood is the first letter of the operation:
;; c answers with its context, operation and input as JSON, i with its input, p with prose that
;; is no JSON, e with nothing, f with a node-error whose message is its input, y yields and
;; answers whether it should cancel, t traps.
;; older.sh fills in VERSION, FIELDS and MANIFEST and makes a component of it for each shape.
(module
  (import "greentic:component/control@VERSION" "should-cancel" (func $should-cancel (result i32)))
  (import "greentic:component/control@VERSION" "yield-now" (func $yield-now))
  (memory (export "memory") 4)
  (global $top (mut i32) (i32.const 65536)) ;; end of what the host wrote
  (global $end (mut i32) (i32.const 8192))  ;; end of the answer

  (data (i32.const 16) "null")
  (data (i32.const 32) "{\22op\22:")
  (data (i32.const 48) ",\22input\22:")
  (data (i32.const 64) "prose, not {JSON")
  (data (i32.const 96) "E_OLD")
  (data (i32.const 112) "{\22why\22:[1,2]}")
  ;; What is where in the arguments: a letter, three digits of offset, a name. s is a text, o an
  ;; option of one, n a u32, d an option of 64 bits, l the length of a list, p whether there is one.
  (data (i32.const 1024) "FIELDS")
  (data (i32.const 4096) "MANIFEST")

  (func (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get $new)))
    (local.get $at))

  (func $byte (param $b i32)
    (i32.store8 (global.get $end) (local.get $b))
    (global.set $end (i32.add (global.get $end) (i32.const 1))))
  (func $copy (param $at i32) (param $size i32)
    (memory.copy (global.get $end) (local.get $at) (local.get $size))
    (global.set $end (i32.add (global.get $end) (local.get $size))))
  (func $quoted (param $at i32) (param $size i32)
    (call $byte (i32.const 34))
    (call $copy (local.get $at) (local.get $size))
    (call $byte (i32.const 34)))
  (func $number (param $n i64)
    (if (i64.ge_u (local.get $n) (i64.const 10))
      (then (call $number (i64.div_u (local.get $n) (i64.const 10)))))
    (call $byte (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 10))))))

  (func $value (param $kind i32) (param $at i32)
    (if (i32.eq (local.get $kind) (i32.const 115)) ;; s
      (then (return (call $quoted (i32.load (local.get $at)) (i32.load offset=4 (local.get $at))))))
    (if (i32.eq (local.get $kind) (i32.const 110)) ;; n
      (then (return (call $number (i64.load32_u (local.get $at))))))
    (if (i32.eq (local.get $kind) (i32.const 108)) ;; l
      (then (return (call $number (i64.load32_u offset=4 (local.get $at))))))
    (if (i32.eq (local.get $kind) (i32.const 112)) ;; p
      (then (return (call $number (i64.load8_u (local.get $at))))))
    (if (i32.eqz (i32.load8_u (local.get $at)))
      (then (return (call $copy (i32.const 16) (i32.const 4)))))
    (if (i32.eq (local.get $kind) (i32.const 111)) ;; o
      (then (return (call $quoted (i32.load offset=4 (local.get $at)) (i32.load offset=8 (local.get $at))))))
    (call $number (i64.load offset=8 (local.get $at)))) ;; d

  (func $digit (param $at i32) (result i32) (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
  (func $fields (param $args i32)
    (local $p i32) (local $name i32) (local $kind i32) (local $at i32)
    (local.set $p (i32.const 1024))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.tee $kind (i32.load8_u (local.get $p)))))
      (local.set $at (i32.add (local.get $args) (i32.add
        (i32.mul (call $digit (i32.add (local.get $p) (i32.const 1))) (i32.const 100)) (i32.add
        (i32.mul (call $digit (i32.add (local.get $p) (i32.const 2))) (i32.const 10))
        (call $digit (i32.add (local.get $p) (i32.const 3)))))))
      (local.set $name (local.tee $p (i32.add (local.get $p) (i32.const 4))))
      (loop $more
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br_if $more (i32.gt_u (i32.load8_u (local.get $p)) (i32.const 32))))
      (call $byte (i32.const 44))
      (call $quoted (local.get $name) (i32.sub (local.get $p) (local.get $name)))
      (call $byte (i32.const 58))
      (call $value (local.get $kind) (local.get $at))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br $next))))

  ;; invoke-result lies at 256: ok with the text from 8192 to $end, or err.
  (func $ok (result i32)
    (i32.store (i32.const 264) (i32.const 8192))
    (i32.store (i32.const 268) (i32.sub (global.get $end) (i32.const 8192)))
    (i32.const 256))
  (func $err (param $message i32) (param $size i32) (result i32)
    (i32.store8 (i32.const 256) (i32.const 1))
    (i32.store (i32.const 264) (i32.const 96))
    (i32.store (i32.const 268) (i32.const 5))
    (i32.store (i32.const 272) (local.get $message))
    (i32.store (i32.const 276) (local.get $size))
    (i32.store8 (i32.const 280) (i32.const 1))
    (i32.store8 (i32.const 288) (i32.const 1))
    (i64.store (i32.const 296) (i64.const 250))
    (i32.store8 (i32.const 304) (i32.const 1))
    (i32.store (i32.const 308) (i32.const 112))
    (i32.store (i32.const 312) (i32.const 13))
    (i32.const 256))

  (func (export "greentic:component/node@VERSION#invoke") (param $args i32) (result i32)
    (local $op i32) (local $op-size i32) (local $in i32) (local $in-size i32) (local $mood i32)
    (local.set $op (i32.load offset=SIZE (local.get $args)))
    (local.set $op-size (i32.load offset=SIZE (i32.add (local.get $args) (i32.const 4))))
    (local.set $in (i32.load offset=SIZE (i32.add (local.get $args) (i32.const 8))))
    (local.set $in-size (i32.load offset=SIZE (i32.add (local.get $args) (i32.const 12))))
    (local.set $mood (i32.load8_u (local.get $op)))
    (if (i32.eq (local.get $mood) (i32.const 99)) (then
      (call $copy (i32.const 32) (i32.const 6))
      (call $quoted (local.get $op) (local.get $op-size))
      (call $fields (local.get $args))
      (call $copy (i32.const 48) (i32.const 9))
      (call $copy (local.get $in) (local.get $in-size))
      (call $byte (i32.const 125))
      (return (call $ok))))
    (if (i32.eq (local.get $mood) (i32.const 105)) (then
      (call $copy (local.get $in) (local.get $in-size))
      (return (call $ok))))
    (if (i32.eq (local.get $mood) (i32.const 112)) (then
      (call $copy (i32.const 64) (i32.const 16))
      (return (call $ok))))
    (if (i32.eq (local.get $mood) (i32.const 101)) (then (return (call $ok))))
    (if (i32.eq (local.get $mood) (i32.const 102)) (then (return (call $err (local.get $in) (local.get $in-size)))))
    (if (i32.eq (local.get $mood) (i32.const 121)) (then
      (call $yield-now)
      (call $number (i64.extend_i32_u (call $should-cancel)))
      (return (call $ok))))
    unreachable)

  (func (export "greentic:component/node@VERSION#get-manifest") (result i32)
    (local $p i32)
    (local.set $p (i32.const 4096))
    (block $done (loop $more
      (br_if $done (i32.eqz (i32.load8_u (local.get $p))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br $more)))
    (i32.store (i32.const 256) (i32.const 4096))
    (i32.store (i32.const 260) (i32.sub (local.get $p) (i32.const 4096)))
    (i32.const 256))

  ;; Nobody calls these.
  (func (export "greentic:component/node@VERSION#on-start") (param i32) (result i32) unreachable)
  (func (export "greentic:component/node@VERSION#on-stop") (param i32) (result i32) unreachable)
  (func (export "greentic:component/node@VERSION#invoke-stream") (param i32) (result i32) unreachable))
