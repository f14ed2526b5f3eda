package greentic

import (
	"greentic.dev/sdk/go/internal/abi"
	"greentic.dev/sdk/go/internal/value"
)

// The component this program is; one call runs at a time.
var serving = &Registered{fail: "the program calls greentic.Component nowhere"}

func serve(r *Registered) {
	if serving.info.ID != "" {
		r.fail = "greentic.Component is called twice"
	}
	serving = r
}

// list gives the address of a list<u8> result.
func list(b []byte) uint32 {
	w := abi.Shared().Write(8)
	w.Bytes(b)
	return w.Addr()
}

//go:wasmexport greentic:component/node@0.6.0#describe
func nodeDescribe() uint32 { return serving.describe(abi.Shared()) }

//go:wasmexport cabi_post_greentic:component/node@0.6.0#describe
func nodeDescribePost(uint32) { abi.Shared().Free() }

//go:wasmexport greentic:component/node@0.6.0#invoke
func nodeInvoke(args uint32) uint32 { return serving.invoke(abi.Shared(), args) }

//go:wasmexport cabi_post_greentic:component/node@0.6.0#invoke
func nodeInvokePost(uint32) { abi.Shared().Free() }

//go:wasmexport greentic:component/component-descriptor@0.6.0#get-component-info
func info() uint32 { return list(document(serving.document()["info"])) }

//go:wasmexport cabi_post_greentic:component/component-descriptor@0.6.0#get-component-info
func infoPost(uint32) { abi.Shared().Free() }

//go:wasmexport greentic:component/component-descriptor@0.6.0#describe
func describe() uint32 { return list(document(serving.document())) }

//go:wasmexport cabi_post_greentic:component/component-descriptor@0.6.0#describe
func describePost(uint32) { abi.Shared().Free() }

//go:wasmexport greentic:component/component-qa@0.6.0#qa-spec
func qaSpec(mode uint32) uint32 { return list(document(serving.questions(modes[mode&3]))) }

//go:wasmexport cabi_post_greentic:component/component-qa@0.6.0#qa-spec
func qaSpecPost(uint32) { abi.Shared().Free() }

//go:wasmexport greentic:component/component-qa@0.6.0#apply-answers
func applyAnswers(mode, current, currentLen, answers, answersLen uint32) uint32 {
	a := abi.Shared()
	return list(document(serving.applied(modes[mode&3], plainOf(a.Bytes(current, currentLen)), plainOf(a.Bytes(answers, answersLen)))))
}

//go:wasmexport cabi_post_greentic:component/component-qa@0.6.0#apply-answers
func applyAnswersPost(uint32) { abi.Shared().Free() }

//go:wasmexport greentic:component/component-i18n@0.6.0#i18n-keys
func i18nKeys() uint32 {
	keys := serving.textKeys()
	w := abi.Shared().Write(8)
	w.List(len(keys), 8, func(w *abi.Writer, i int) { w.String(keys[i]) })
	return w.Addr()
}

//go:wasmexport cabi_post_greentic:component/component-i18n@0.6.0#i18n-keys
func i18nKeysPost(uint32) { abi.Shared().Free() }

// plainOf is a document of the host's; nothing and nonsense are null.
func plainOf(b []byte) any {
	v, err := value.FromCBOR(b)
	if err != nil {
		return nil
	}
	return v
}
