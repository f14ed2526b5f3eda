// Package scaffold begins source folders: packs and components.
//
// What it is: templates that this binary carries, written into a new folder with the names of the
// author in place of the placeholders, and the questions a template asks. Who calls it: cmd for
// pack new and component new. What it refuses to do: overwrite or complete a folder that is there,
// take an answer that would change what the template means, ask at a terminal. Main types:
// [Wizard], [Question]. Its promises are tested in scaffold_test.go.
package scaffold
