;; A post-return that makes and reads a resource, which it may, unlike calling out.
(component
  (type $r (resource (rep i32)))
  (core func $new (canon resource.new $r))
  (core func $rep (canon resource.rep $r))
  (core module $m
    (import "r" "new" (func $new (param i32) (result i32)))
    (import "r" "rep" (func $rep (param i32) (result i32)))
    (func (export "f") (result i32) (i32.const 5))
    (func (export "post") (param i32)
      (if (i32.ne (call $rep (call $new (i32.const 123))) (i32.const 123)) (then (unreachable)))))
  (core instance $i (instantiate $m (with "r" (instance (export "new" (func $new)) (export "rep" (func $rep))))))
  (func (export "f") (result u32) (canon lift (core func $i "f") (post-return (func $i "post")))))
