package wit

import "greentic.dev/wasm/binary"

// What the parser reads, before names have a meaning.

type name struct {
	text string
	at   place
}

// header is what may stand before any item.
type header struct {
	docs string
	gate Gate
	name name
}

// unit is the items of one package in one file: names of its top-level uses count only here.
type unit struct {
	pkg     *packageName // nil in a file without a package declaration
	docs    string
	aliases map[string]*path
	ifaces  []*ifaceDecl
	worlds  []*worldDecl
	nested  bool         // a package block inside a file
	info    *packageInfo // set by the resolver
	at      place
}

type packageName struct {
	namespace, name, version string
	at                       place
}

func (n *packageName) String() string {
	return (&Package{Namespace: n.namespace, Name: n.name, Version: n.version}).String()
}

// path refers to an interface or world: by a bare name, or with its package.
type path struct {
	pkg  *packageName // nil for a bare name
	item name
}

type ifaceDecl struct {
	header
	uses  []*useDecl
	types []*typeDecl
	funcs []*funcDecl
}

type useDecl struct {
	gate  Gate
	from  *path
	names []renamed
}

type renamed struct{ name, as name }

// typeDecl is a type definition. Kind is Record, Variant, Enum or Flags; Own for a resource; 0
// for an alias.
type typeDecl struct {
	header
	kind    binary.Kind
	members []member
	alias   *typeExpr
	funcs   []*funcDecl // of a resource, with their full names
}

type member struct {
	name name
	docs string
	typ  *typeExpr // may be nil
}

type funcDecl struct {
	header
	params []member
	result *typeExpr
	kind   string // "method", "static", "constructor"; empty for a plain function
}

// typeExpr is a type where it is used. Kind 0 is a name; Own and Borrow have one too.
type typeExpr struct {
	kind binary.Kind
	name name
	args []*typeExpr // result: ok and error, each may be nil
	at   place
}

type worldDecl struct {
	header
	uses     []*useDecl
	types    []*typeDecl
	externs  []*externDecl
	includes []*includeDecl
}

type externDecl struct {
	header // the name is empty for one by path
	export bool
	path   *path
	iface  *ifaceDecl
	fn     *funcDecl
}

type includeDecl struct {
	path  *path
	names []renamed
}
