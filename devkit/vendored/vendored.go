package vendored

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"io/fs"

	"greentic.dev/greentic/fault"
	"greentic.dev/sdk/js"
)

//go:embed go.zip
var goArchive []byte

// Go is the Go SDK: a folder "vendor" with its packages and modules.txt, for a project that requires
// [GoModule] at [GoVersion].
func Go() (fs.FS, error) {
	r, err := zip.NewReader(bytes.NewReader(goArchive), int64(len(goArchive)))
	return r, fault.Wrap("the Go SDK", err)
}

// JavaScript is the SDK for JavaScript: the npm package in "vendor/@greentic/component".
func JavaScript() (fs.FS, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	names, err := fs.Glob(js.Files, "*")
	if err != nil {
		return nil, fault.Wrap("the JavaScript SDK", err)
	}
	for _, name := range names {
		content, err := js.Files.ReadFile(name)
		if err != nil {
			return nil, fault.Wrap("the JavaScript SDK", err)
		}
		f, err := w.Create("vendor/@greentic/component/" + name)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			return nil, fault.Wrap("the JavaScript SDK", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fault.Wrap("the JavaScript SDK", err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	return r, fault.Wrap("the JavaScript SDK", err)
}

//go:embed llm.zip
var llmArchive []byte

// LLM is the component of language models of the library, in the folder components/greentic.llm, for a
// pack that brings it along.
func LLM() (fs.FS, error) {
	r, err := zip.NewReader(bytes.NewReader(llmArchive), int64(len(llmArchive)))
	return r, fault.Wrap("the component of language models", err)
}

// The module of the Go SDK, as a project's go.mod requires it.
const (
	GoModule  = "greentic.dev/sdk/go"
	GoVersion = "v0.1.0"
)
