//go:build !wasm

package greentic

func serve(*Registered) {}

// Outside a component there is no host; a [Mock] stands in.
var errNoHost = &Error{Code: "unavailable", Message: "there is no host outside a component; use a greentic.Mock"}

func hostCancelled() bool                         { return false }
func hostSecret(string) ([]byte, string)          { return nil, "not_found" }
func hostLog(*Context, [][2]string)               {}
func hostStateRead(string) ([]byte, bool, *Error) { return nil, false, errNoHost }
func hostStateWrite(string, []byte) *Error        { return errNoHost }
func hostStateDelete(string) *Error               { return errNoHost }
func hostSend(*Request) (*Response, *Error)       { return nil, errNoHost }
