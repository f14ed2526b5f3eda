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
;;; a core import of a table with other elements | imports core table "a" "t" with another type than supplied
(component
  (core module $a (table (export "t") 1 externref))
  (core module $b (import "a" "t" (table 1 funcref)))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)))))
;;; a core import of a table that may grow further | imports core table "a" "t" with another type than supplied
(component
  (core module $a (table (export "t") 1 funcref))
  (core module $b (import "a" "t" (table 1 9 funcref)))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)))))
;;; a core import of a larger memory | imports core memory "a" "m" with another type than supplied
(component
  (core module $a (memory (export "m") 1))
  (core module $b (import "a" "m" (memory 2)))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)))))
;;; a core import of a global of another type | imports core global "a" "g" with another type than supplied
(component
  (core module $a (global (export "g") i32 (i32.const 0)))
  (core module $b (import "a" "g" (global i64)))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)))))
;;; a core import of a global that can be set | imports core global "a" "g" with another type than supplied
(component
  (core module $a (global (export "g") i32 (i32.const 0)))
  (core module $b (import "a" "g" (global (mut i32))))
  (core instance $a (instantiate $a))
  (core instance (instantiate $b (with "a" (instance $a)))))
;;; a core module that wants a larger memory than its type says | imports "a" "m", which is not declared so
(component
  (core module $m (import "a" "m" (memory 4)))
  (component $c (import "m" (core module (import "a" "m" (memory 2)))))
  (instance (instantiate $c (with "m" (core module $m)))))
;;; a core module whose memory is smaller than its type says | does not export "m" as declared
(component
  (core module $m (memory (export "m") 1))
  (component $c (import "m" (core module (export "m" (memory 2)))))
  (instance (instantiate $c (with "m" (core module $m)))))
;;; a core module that imports a thing twice | imports "a" "b" twice
(component (core module (import "a" "b" (func)) (import "a" "b" (func (param i32)))))
;;; a module type that names a module type for a function | core type 0 is not a function type
(component $c
  (core type $m (module))
  (core type (module (alias outer $c $m (type $f)) (export "f" (func (type $f))))))
;;; an exported function of a hidden resource | "make" uses a resource without a name that others see
(component
  (core module $m (func (export "f") (result i32) i32.const 0))
  (core instance $m (instantiate $m))
  (type $r (resource (rep i32)))
  (func $f (result (own $r)) (canon lift (core func $m "f")))
  (export "make" (func $f)))
;;; an exported function of a resource that goes by its first name | "make" uses a resource without a name that others see
(component
  (core module $m (func (export "f") (result i32) i32.const 0))
  (core instance $m (instantiate $m))
  (type $r (resource (rep i32)))
  (export "r" (type $r))
  (func $f (result (own $r)) (canon lift (core func $m "f")))
  (export "make" (func $f)))
;;; an import of an exported resource | "take" uses a resource without a name that others see
(component
  (type $r (resource (rep i32)))
  (export $s "r" (type $r))
  (import "take" (func (param "x" (own $s)))))
;;; a record nobody named, deep in the types of a function | "f" uses a record without a name that others see
(component
  (type $point (record (field "x" u32)))
  (import "f" (func (param "at" (option (tuple (list $point)))))))
;;; an imported function of an enum nobody named | "f" uses an enum without a name that others see
(component
  (type $colour (enum "red" "green"))
  (import "f" (func (result $colour))))
;;; an exported variant of flags nobody named | "shape" uses flags without a name that others see
(component
  (type $style (flags "bold" "wide"))
  (type $shape (variant (case "plain") (case "styled" $style)))
  (export "shape" (type $shape)))
;;; an imported instance whose function uses a record nobody named | "i" uses a record without a name that others see
(component
  (type $i (instance
    (type $point (record (field "x" u32)))
    (export "f" (func (param "at" $point)))))
  (import "i" (instance (type $i))))
;;; an instance type exported with a record nobody named | "i" uses a record without a name that others see
(component
  (type $i (instance
    (type $point (record (field "x" u32)))
    (export "f" (func (param "at" $point)))))
  (export "i" (type $i)))
;;; a component type that exports what nobody named | "f" uses a variant without a name that others see
(component
  (type (component
    (type $v (variant (case "a")))
    (export "f" (func (result $v))))))
;;; a component type that imports what it exports | "f" uses a resource without a name that others see
(component
  (type (component
    (export "r" (type $r (sub resource)))
    (import "f" (func (param "x" (borrow $r)))))))
;;; a nested component that uses a record of the outer one | "f" uses a record without a name that others see
(component $c
  (type $point (record (field "x" u32)))
  (import "point" (type $p (eq $point)))
  (component (import "f" (func (param "at" $p)))))
;;; a record aliased out of an instance nobody exported | "f" uses a record without a name that others see
(component
  (component $c
    (type $point (record (field "x" u32)))
    (export "point" (type $point)))
  (instance $i (instantiate $c))
  (alias export $i "point" (type $p))
  (core module $m (func (export "f") (param i32)))
  (core instance $m (instantiate $m))
  (func $f (param "at" $p) (canon lift (core func $m "f")))
  (export "f" (func $f)))
;;; a constructor beside a resource nobody else can name | the resource "r" is neither imported nor exported
(component
  (core module $m (func (export "f") (result i32) i32.const 0))
  (core instance $m (instantiate $m))
  (type $r (resource (rep i32)))
  (func $f (result (own $r)) (canon lift (core func $m "f")))
  (instance (export "r" (type $r)) (export "[constructor]r" (func $f))))
;;; a resource exported a second time as another one | "b" differs from the declared one
(component
  (component $twins
    (type $r (resource (rep i32)))
    (export "one" (type $r))
    (export "two" (type $r) (type (sub resource))))
  (component $same
    (import "a" (type $a (sub resource)))
    (import "b" (type (eq $a))))
  (instance $t (instantiate $twins))
  (instance (instantiate $same (with "a" (type $t "one")) (with "b" (type $t "two")))))
;;; a module type that takes what is not there, unused | core type index 5 out of range
(component (core type (module (alias outer 1 5 (type)))))
;;; a method of the resource by another of its names | must take self: borrow<c> first
(component
  (import "b" (type $b (sub resource)))
  (import "f" (func $f (param "self" (borrow $b))))
  (export "c" (type $b))
  (export "[method]c.foo" (func $f)))
;;; an import that equals a resource of the component itself | "r" uses a resource without a name that others see
(component
  (type $r (resource (rep i32)))
  (import "r" (type (eq $r))))
;;; an imported instance that equals a resource of the component itself | "i" uses a resource without a name that others see
(component $c
  (type $r (resource (rep i32)))
  (export $s "r" (type $r))
  (import "i" (instance (alias outer $c $s (type $t)) (export "t" (type (eq $t))))))
;;; an export of a component that its ascribed type leaves out | does not export a type "u"
(component
  (component $outer
    (component $inner (type $t u32) (export "t" (type $t)) (export "u" (type $t)))
    (type $small (component (type $t u32) (export "t" (type (eq $t)))))
    (export "c" (component $inner) (component (type $small))))
  (instance $o (instantiate $outer))
  (instance $i (instantiate (component $o "c")))
  (alias export $i "u" (type)))
;;; an export of a core module that its ascribed type leaves out | does not export a core func "g"
(component
  (component $outer
    (core module $m (func (export "f")) (func (export "g")))
    (core type $small (module (export "f" (func))))
    (export "m" (core module $m) (core module (type $small))))
  (instance $o (instantiate $outer))
  (alias export $o "m" (core module $m))
  (core instance $i (instantiate $m))
  (alias core export $i "g" (core func)))
