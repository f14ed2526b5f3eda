// Package guests is the module of the helpdesk's components.
//
// What it is: nothing to import; triage and tickets are the components, written with sdk/go. Who calls it: `make
// guests`, which builds them into the pack. What it refuses to do: depend on the platform's module. The tests here look at
// the pack as a whole: texts and cards.
package guests
