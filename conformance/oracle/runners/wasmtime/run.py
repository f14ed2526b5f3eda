"""Runs worlds of the oracle under Wasmtime: one JSON world per input line, one JSON answer per
output line: {"outcomes": […]} or {"refused": "why"}. Values have the form doc.go describes."""

import base64
import json
import struct
import sys

from wasmtime import Config, Engine, Store, Trap, WasmtimeError
from wasmtime.component import Component, Linker, Record, ResourceHost, ResourceType, Variant
from wasmtime.component import _types

# Variants are Variant objects always, not bare payloads where those are unambiguous.
_types.VariantLikeType._tagged = lambda self: True

SIDES = {"error": "err", "err": "error"}



def to_host(t, v, world):
    k = t["kind"]
    sub = lambda t, v: None if t is None else to_host(t, v, world)
    if k in ("s64", "u64"):
        return int(v)
    if k in ("f32", "f64"):
        code, bits = ("<f", "<I") if k == "f32" else ("<d", "<Q")
        return float("nan") if v == "nan" else struct.unpack(code, struct.pack(bits, int(v, 16)))[0]
    if k == "char":
        return chr(v)
    if k == "list":
        return bytes(v) if t["elem"]["kind"] == "u8" else [sub(t["elem"], e) for e in v]
    if k == "tuple":
        return tuple(sub(e, x) for e, x in zip(t["types"], v))
    if k == "record":
        r = Record()
        for name, e, x in zip(t["names"], t["types"], v):
            setattr(r, name, sub(e, x))
        return r
    if k == "flags":
        return set(v)
    if k == "option":
        return Variant("none") if v is None else Variant("some", sub(t["elem"], v["some"]))
    if k in ("result", "variant"):
        (name, payload), = v.items()
        e = t.get("elem" if name == "ok" else "err") if k == "result" else t["types"][t["names"].index(name)]
        return Variant(SIDES.get(name, name) if k == "result" else name, sub(e, payload))
    if k in ("own", "borrow"):
        make = ResourceHost.own if k == "own" else ResourceHost.borrow
        return make(v[k], world["resources"].index(t["elem"]["name"]))
    return v


def from_host(t, v, store):
    k = t["kind"]
    sub = lambda t, v: None if t is None else from_host(t, v, store)
    if k in ("s64", "u64"):
        return str(v)
    if k in ("f32", "f64"):
        code, bits, digits = ("<f", "<I", 8) if k == "f32" else ("<d", "<Q", 16)
        return "nan" if v != v else format(struct.unpack(bits, struct.pack(code, v))[0], "0%dx" % digits)
    if k == "char":
        return ord(v)
    if k == "list":
        return list(v) if t["elem"]["kind"] == "u8" else [sub(t["elem"], e) for e in v]
    if k == "tuple":
        return [sub(e, x) for e, x in zip(t["types"], v)]
    if k == "record":
        return [sub(e, getattr(v, name)) for name, e in zip(t["names"], t["types"])]
    if k == "flags":
        return [n for n in t["names"] if n in v]
    if k == "option":
        return None if v.tag == "none" else {"some": sub(t["elem"], v.payload)}
    if k == "result":
        return {SIDES.get(v.tag, v.tag): sub(t.get("elem" if v.tag == "ok" else "err"), v.payload)}
    if k == "variant":
        return {v.tag: sub(t["types"][t["names"].index(v.tag)], v.payload)}
    if k in ("own", "borrow"):
        try:
            return {k: v.to_host(store).rep}
        except WasmtimeError:
            return {k: None}  # a guest's
    return v


class Running:
    """One case while it runs."""

    def __init__(self, case):
        self.answers, self.calls, self.answered = case.get("answers") or {}, [], {}

    def seen(self, name, args):
        self.calls.append({"name": name, "args": args})
        answers = self.answers.get(name)
        if not answers:
            return None
        i = self.answered.get(name, 0)
        self.answered[name] = i + 1
        return answers[i % len(answers)]


def host(imp, world, at):
    name = imp["interface"] + "#" + imp["name"] if imp["interface"] else imp["name"]
    params, result = imp["type"].get("params") or [], imp["type"].get("result")

    def f(store, *args):
        answer = at["case"].seen(name, [from_host(t, v, store) for t, v in zip(params, args)])
        return None if result is None else to_host(result, answer, world)

    return f


def linker(engine, world, at):
    ln = Linker(engine)
    ifaces = {world["home"]: []}
    for imp in world["imports"]:
        ifaces.setdefault(imp["interface"], []).append(imp)
    with ln.root() as root:
        for imp in ifaces.pop("", []):
            root.add_func(imp["name"], host(imp, world, at))
        for name, imps in ifaces.items():
            with root.add_instance(name) as inst:
                if name == world["home"]:
                    for i, r in enumerate(world["resources"] or []):
                        drop = lambda store, rep, r=r: at["case"].seen("[drop]" + r, [rep]) and None
                        inst.add_resource(r, ResourceType.host(i), drop)
                for imp in imps:
                    inst.add_func(imp["name"], host(imp, world, at))
    return ln


def run(engine, component, ln, world, case, at):
    at["case"] = running = Running(case)
    out = {}
    try:
        store = Store(engine)
        inst = ln.instantiate(store, component)
        index = inst.get_export_index(store, case["interface"]) if case["interface"] else None
        func = inst.get_func(store, inst.get_export_index(store, case["func"], index))
        args = [to_host(t, v, world) for t, v in zip(case["type"].get("params") or [], case["args"])]
        v = func(store, *args)
        func.post_return(store)
        if case["type"].get("result") is not None:
            out["result"] = from_host(case["type"]["result"], v, store)
    except (Trap, WasmtimeError) as e:
        out = {"trap": True, "reason": str(e)[:300]}
    except Exception as e:
        out = {"fault": type(e).__name__ + ": " + str(e)[:300]}
    while running.calls and running.calls[-1]["name"].startswith("[drop]"):
        running.calls.pop()
    out["calls"] = running.calls
    return out


def main():
    engine = Engine(Config())
    for line in sys.stdin:
        world, at = json.loads(line), {}
        try:
            component = Component(engine, base64.b64decode(world["component"]))
            ln = linker(engine, world, at)
            answer = {"outcomes": [run(engine, component, ln, world, c, at) for c in world["cases"]]}
        except WasmtimeError as e:
            answer = {"refused": str(e)[:1000]}
        print(json.dumps(answer), flush=True)


main()
