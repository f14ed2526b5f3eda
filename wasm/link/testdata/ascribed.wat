;; A resource exported under two names, the second as if it were another resource: who uses the
;; export passes it on as one, and behind it there is one table of handles.
(component
  (component $twins
    (type $r (resource (rep i32)))
    (export $one "one" (type $r))
    (export $two "two" (type $r) (type (sub resource)))
    (core func $new (canon resource.new $r))
    (core func $rep (canon resource.rep $two))
    (func (export "make") (param "n" u32) (result (own $two)) (canon lift (core func $new)))
    (core module $m
      (import "" "rep" (func $rep (param i32) (result i32)))
      (func (export "read") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $m (with "" (instance (export "rep" (func $rep))))))
    (func (export "read") (param "r" (borrow $two)) (result u32) (canon lift (core func $m "read"))))
  (component $user
    (import "t" (type $t (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $t))))
    (import "read" (func $read (param "r" (borrow $t)) (result u32)))
    (core func $make' (canon lower (func $make)))
    (core func $read' (canon lower (func $read)))
    (core func $drop (canon resource.drop $t))
    (core module $m
      (import "" "make" (func $make (param i32) (result i32)))
      (import "" "read" (func $read (param i32) (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "run") (param i32) (result i32) (local $h i32)
        (local.set $h (call $make (local.get 0)))
        (call $read (local.get $h))
        (call $drop (local.get $h))))
    (core instance $m (instantiate $m (with "" (instance
      (export "make" (func $make')) (export "read" (func $read')) (export "drop" (func $drop))))))
    (func (export "run") (param "n" u32) (result u32) (canon lift (core func $m "run"))))
  (instance $t (instantiate $twins))
  (instance $u (instantiate $user (with "t" (type $t "two")) (with "make" (func $t "make")) (with "read" (func $t "read"))))
  (export "run" (func $u "run")))
