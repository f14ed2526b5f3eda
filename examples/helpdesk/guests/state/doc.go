// Package state is the guest side of greentic:state/state-store@1.0.0: working memory of a
// component, kept by the host.
//
// What it is: read, write and delete of plain values, stored as JSON. Who calls it: components
// that remember something. What it refuses to do: reach another conversation, user or tenant;
// the host decides the scope. Main type: [Store]. Tested with the components that use it.
package state
