;; A component that serves MCP tools, as far as it takes to be recognised.
;; Built with: wasm-tools parse router.wat -o router.wasm
(component
  (core module $main
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "list") (result i32) unreachable)
    (func (export "call") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $main))
  (func $list (result (list string))
    (canon lift (core func $i "list") (memory (core memory $i "memory"))))
  (func $call (param "tool-name" string) (param "arguments" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (instance $router (export "list-tools" (func $list)) (export "call-tool" (func $call)))
  (export "wasix:mcp/router@25.6.18" (instance $router)))
