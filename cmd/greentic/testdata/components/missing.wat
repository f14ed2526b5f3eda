;; Imports that this host does not offer, each in another way, and what can be said without them.
(component
  (import "greentic:http/http-client@1.2.0" (instance
    (type $request' (record (field "url" string)))
    (export "request" (type $request (eq $request')))
    (export "send" (func (param "req" $request) (result (result string (error string)))))))
  (import "greentic:state/state-stor@1.0.0" (instance (export "read" (func (param "key" string)))))
  (import "greentic:secrets-store/secrets-store@1.0.0" (instance (export "steal" (func (result string)))))
  (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64)))))
  (import "acme:mail/outbox@3.0.0" (instance
    (export "post" (func (param "letter" string)))
    (export "recall" (func (param "id" u32) (result bool)))))
  (import "tick" (func (result u64)))
  (core module $m
    (func (export "f") (result i32) i32.const 7)
    (@custom "producers" "\01\08language\01\03WAT\011"))
  (core instance $i (instantiate $m))
  (func (export "seven") (result u32) (canon lift (core func $i "f")))
  (@custom "producers" "\01\0cprocessed-by\01\05hands\012"))
