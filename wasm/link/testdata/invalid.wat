;;; a function index that does not exist | function index 0 out of range
(component (export "a" (func 0)))
;;; a type index that does not exist | type index 7 out of range
(component (import "a" (func (type 7))))
;;; an instance index that does not exist | instance index 0 out of range
(component (alias export 0 "x" (func)))
;;; a core module index that does not exist | core module index 0 out of range
(component (core instance (instantiate 0)))
;;; a component that instantiates itself | component index 0 out of range
(component (instance (instantiate 0)))
;;; an alias of nothing | does not export a func "x"
(component (import "i" (instance $i)) (alias export $i "x" (func)))
;;; an alias of another sort | does not export a type "f"
(component (import "i" (instance $i (export "f" (func)))) (alias export $i "f" (type)))
;;; a core alias of nothing | does not export a core func "x"
(component (core module $m) (core instance $i (instantiate $m)) (alias core export $i "x" (core func)))
;;; an outer alias past the root | outer alias leaves the component
(component (alias outer 5 0 (type)))
;;; an outer alias to a resource of another component | uses a resource of another component
(component $c (type $r (resource (rep i32))) (component (alias outer $c $r (type))))
;;; a core import nobody supplies | imports "a", which is not supplied
(component (core module $m (import "a" "b" (func))) (core instance (instantiate $m)))
;;; a core import of another type | with another type than supplied
(component
  (core module $a (func (export "f") (param i32)))
  (core module $b (import "a" "f" (func)))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)))))
;;; a core import of another sort | imports core memory "a" "f", which is not supplied
(component
  (core module $a (func (export "f")))
  (core module $b (import "a" "f" (memory 1)))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)))))
;;; a component import nobody supplies | import "x" is not supplied
(component (component $c (import "x" (func))) (instance (instantiate $c)))
;;; a component import of another type | function "x" has another type than declared
(component
  (import "f" (func $f (param "a" u32)))
  (component $c (import "x" (func (param "a" s32))))
  (instance (instantiate $c (with "x" (func $f)))))
;;; a component import of another sort | "x" is a func, want a instance
(component
  (import "f" (func $f))
  (component $c (import "x" (instance)))
  (instance (instantiate $c (with "x" (func $f)))))
;;; an instance without an export that is asked for | export "g" is missing
(component
  (import "i" (instance $i (export "f" (func))))
  (component $c (import "x" (instance (export "f" (func)) (export "g" (func)))))
  (instance (instantiate $c (with "x" (instance $i)))))
;;; two resources mixed up | function "drop" has another type than declared
(component
  (import "a" (type $a (sub resource)))
  (import "b" (type $b (sub resource)))
  (import "drop" (func $drop (param "x" (own $b))))
  (component $c
    (import "r" (type $r (sub resource)))
    (import "drop" (func (param "x" (own $r)))))
  (instance (instantiate $c (with "r" (type $a)) (with "drop" (func $drop)))))
;;; an own of something that is no resource | type 0 is not a resource
(component (type u32) (type (own 0)))
;;; a record of a function type | type 0 is not a value type
(component (type (func)) (type (list 0)))
;;; a borrow in a result | a function result contains a borrowed handle
(component (import "r" (type $r (sub resource))) (type (func (result (borrow $r)))))
;;; lift of another core type | lifted core function has another type
(component
  (core module $m (func (export "f") (param i64)))
  (core instance $i (instantiate $m))
  (func (param "a" u32) (canon lift (core func $i "f"))))
;;; lift of strings without memory | needs the option memory
(component
  (core module $m (func (export "f") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func (param "a" string) (canon lift (core func $i "f"))))
;;; lift of strings without realloc | needs the option realloc
(component
  (core module $m (memory (export "m") 1) (func (export "f") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func (param "a" string) (canon lift (core func $i "f") (memory $i "m"))))
;;; lower of string results without realloc | needs the option realloc
(component
  (import "f" (func $f (result string)))
  (core module $m (memory (export "m") 1))
  (core instance $i (instantiate $m))
  (core func (canon lower (func $f) (memory $i "m"))))
;;; a realloc of another type | realloc must take four i32
(component
  (core module $m (memory (export "m") 1) (func (export "f") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func (param "a" string) (canon lift (core func $i "f") (memory $i "m") (realloc (func $i "f")))))
;;; a post-return of another type | post-return must take
(component
  (core module $m (func (export "f") (result i32)))
  (core instance $i (instantiate $m))
  (func (result u32) (canon lift (core func $i "f") (post-return (func $i "f")))))
;;; a destructor of another type | destructor must take one i32
(component
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (type (resource (rep i32) (dtor (func $i "f")))))
;;; resource.new of an imported resource | need a resource of the component itself
(component (import "r" (type $r (sub resource))) (core func (canon resource.new $r)))
;;; an ascribed type that does not fit | has another type than declared
(component (import "f" (func $f)) (export "g" (func $f) (func (param "x" u32))))
;;; a method without its resource | no resource is called "r" here
(component (import "[method]r.f" (func)))
;;; a method of another resource | must take self: borrow<r> first
(component (import "r" (type $r (sub resource))) (import "[method]r.f" (func (param "self" u32))))
;;; a component that would be wrong only if it were used | function index 3 out of range
(component (component (export "a" (func 3))))
;;; a type that would be wrong only if it were used | type index 9 out of range
(component (type (instance (export "a" (type (eq 9))))))
;;; an imported component | imports a component, "c", which a host does not supply
(component (import "c" (component)))
;;; an imported core module | imports a core module, "m", which a host does not supply
(component (import "m" (core module)))
;;; an imported instance with a core module in it | imports a core module, "i/m", which a host does not supply
(component
  (import "i" (instance $i (export "m" (core module))))
  (alias export $i "m" (core module $m))
  (core instance (instantiate $m)))
;;; an imported instance with a component in it, two deep | imports a component, "i/j/c", which a host does not supply
(component (import "i" (instance (export "j" (instance (export "c" (component)))))))
