package route

import "net/http"

// Auth says who may call a route.
type Auth uint8

// The authentication demands.
const (
	Operator Auth = iota // the bearer token kept in the data folder, from loopback (decisions 32)
	Public               // anybody: health, static pages
	Own                  // the handler checks credentials of its own protocol, such as Direct Line tokens
)

// Route is one method on one path pattern of net/http.ServeMux.
type Route struct {
	Method   string // "GET", "POST"; GET serves HEAD too
	Path     string // ServeMux pattern without method: "/v3/directline/conversations/{id}"
	Action   string // what it does, for authorisation: "read", "write", "post"
	Resource string // on what: "conversation", "page", "turn"
	Auth     Auth
	CORS     bool  // browsers of other origins may call it
	MaxBody  int64 // bytes; 0 means the gateway's default
	Handler  http.Handler
}
