// Package env is a read-only secrets store over environment variables, for development.
//
// What it is: [Store], made by [New] with a lookup function. Who calls it: system and
// commands. What it refuses to do: serve any environment but local, dev and test, since
// variables belong to no tenant; read a variable without the prefix GREENTIC_SECRET_, so that
// a pack cannot ask for the machine's own; write. Its main type is [Store]. Its promises are
// the read part of the suite of backing/secrets/secretstest and env_test.go.
package env
