package wit

// Complete adds the imports that follow from others: an interface from which something takes
// types is imported too, unless it is an export that takes them and this is exported beside it
// (WIT, "Transitive imports and worlds"). It gives an interface that an export needs as an
// import although that takes types from another export, which is not possible; usually nil.
// Worlds that Parse gives are complete.
func (w *World) Complete() (torn *Interface) {
	c := &completion{exported: map[*Interface]bool{}, named: map[*Interface]*Extern{}, reaches: map[*Interface]bool{}, placed: map[*Interface]bool{}}
	for _, x := range w.Exports {
		if x.byPath() {
			c.exported[x.Interface] = true
		}
	}
	for _, x := range w.Imports {
		if x.byPath() {
			c.named[x.Interface] = x
		}
	}
	for _, x := range w.Imports {
		c.place(x)
	}
	for _, t := range w.Types {
		if t.Use != nil {
			c.need(t.Use, t.Gate)
		}
	}
	for _, x := range w.Exports {
		if x.Interface == nil {
			continue
		}
		for _, t := range x.Interface.Types {
			if t.Use == nil || c.exported[t.Use] {
				continue
			}
			if c.need(t.Use, x.Gate); c.reach(t.Use) {
				torn = t.Use
			}
		}
	}
	w.Imports = c.imports
	return torn
}

type completion struct {
	exported map[*Interface]bool
	named    map[*Interface]*Extern // imports that the world names itself
	placed   map[*Interface]bool
	reaches  map[*Interface]bool
	imports  []*Extern
}

// place adds an import behind those it needs.
func (c *completion) place(x *Extern) {
	if i := x.Interface; i != nil {
		if x.byPath() && c.placed[i] {
			return
		}
		c.placed[i] = c.placed[i] || x.byPath()
		for _, t := range i.Types {
			if t.Use != nil {
				c.need(t.Use, x.Gate)
			}
		}
	}
	c.imports = append(c.imports, x)
}

func (c *completion) need(i *Interface, gate Gate) {
	x := c.named[i]
	if x == nil {
		x = &Extern{Name: i.FullName(), Gate: gate, Interface: i}
	}
	c.place(x)
}

// reach tells interfaces that take types from an export, directly or through others.
func (c *completion) reach(i *Interface) bool {
	found, known := c.reaches[i]
	if known {
		return found
	}
	for _, t := range i.Types {
		if t.Use != nil && (c.exported[t.Use] || c.reach(t.Use)) {
			found = true
		}
	}
	c.reaches[i] = found
	return found
}
