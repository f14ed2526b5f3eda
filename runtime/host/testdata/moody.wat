;; A provider whose mood is the first letter of the operation:
;; e echoes its input, t traps, l loops for ever, h takes memory until it gets no more,
;; g answers with bytes that are no CBOR, w prints its input and traps, d answers how many
;; directories it was given.
;; Built with: wasm-tools parse moody.wat -o moody.wasm
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $out (sub resource)))
    (alias outer 1 $io-error (type $e))
    (export "error" (type $err (eq $e)))
    (type $failure (variant (case "last-operation-failed" (own $err)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failure)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $output-stream (type $o))
    (export "output-stream" (type $own (eq $o)))
    (export "get-stderr" (func (result (own $own))))))
  (import "wasi:filesystem/types@0.2.0" (instance $files (export "descriptor" (type (sub resource)))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))

  (core module $memory
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 4096))
    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get $new)))
      (block $enough
        (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $enough (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))
        unreachable)
      (local.get $at)))
  (core instance $mem (instantiate $memory))
  (core func $get-stderr (canon lower (func $stderr "get-stderr")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
  (core func $directories (canon lower (func $preopens "get-directories") (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))

  (core module $main
    (import "mem" "memory" (memory 1))
    (import "host" "get-stderr" (func $get-stderr (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "directories" (func $directories (param i32)))
    (func $answer (param $at i32) (param $size i32) (result i32)
      (i32.store (i32.const 16) (local.get $at))
      (i32.store (i32.const 20) (local.get $size))
      (i32.const 16))
    (func (export "invoke") (param $op i32) (param $op-size i32) (param $in i32) (param $in-size i32) (result i32)
      (local $mood i32)
      (local.set $mood (i32.load8_u (local.get $op)))
      (if (i32.eq (local.get $mood) (i32.const 101)) (then (return (call $answer (local.get $in) (local.get $in-size)))))
      (if (i32.eq (local.get $mood) (i32.const 108)) (then (loop $again (br $again))))
      (if (i32.eq (local.get $mood) (i32.const 104)) (then
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))))
      (if (i32.eq (local.get $mood) (i32.const 103)) (then
        (i32.store8 (i32.const 64) (i32.const 255))
        (return (call $answer (i32.const 64) (i32.const 1)))))
      (if (i32.eq (local.get $mood) (i32.const 119)) (then
        (call $write (call $get-stderr) (local.get $in) (local.get $in-size) (i32.const 128))))
      (if (i32.eq (local.get $mood) (i32.const 100)) (then
        (call $directories (i32.const 128))
        (i32.store8 (i32.const 64) (i32.load (i32.const 132)))
        (return (call $answer (i32.const 64) (i32.const 1)))))
      unreachable))
  (core instance $i (instantiate $main
    (with "mem" (instance $mem))
    (with "host" (instance (export "get-stderr" (func $get-stderr)) (export "write" (func $write))
      (export "directories" (func $directories))))))
  (func $invoke (param "op" string) (param "input-cbor" (list u8)) (result (list u8))
    (canon lift (core func $i "invoke") (memory (core memory $mem "memory")) (realloc (core func $mem "realloc"))))
  (instance $runtime (export "invoke" (func $invoke)))
  (export "greentic:component/runtime@0.6.1" (instance $runtime)))
