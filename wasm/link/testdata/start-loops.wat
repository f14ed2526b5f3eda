;; A core start function that never ends.
(component
  (core module $m
    (func $spin (loop $l (br $l)))
    (start $spin)
    (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))
