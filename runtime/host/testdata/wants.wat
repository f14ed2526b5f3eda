;; A provider that imports what nobody offers: an interface we do not have.
;; Built with: wasm-tools parse wants.wat -o wants.wasm
(component
  (import "greentic:oauth-broker/broker-v1@1.0.0" (instance $broker (export "get-token" (func (result u32)))))
  (core func $get-token (canon lower (func $broker "get-token")))
  (core module $main
    (import "host" "get-token" (func $get-token (result i32)))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "invoke") (param i32 i32 i32 i32) (result i32) (call $get-token)))
  (core instance $i (instantiate $main (with "host" (instance (export "get-token" (func $get-token))))))
  (func $invoke (param "op" string) (param "input-cbor" (list u8)) (result (list u8))
    (canon lift (core func $i "invoke") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (instance $runtime (export "invoke" (func $invoke)))
  (export "greentic:component/runtime@0.6.1" (instance $runtime)))
